/**
 * A server of either kind and everybody who may call it: whoever opens the admin socket, and over mutual TLS an agent,
 * administrators by entry and by configuration, a downstream server, an ordinary workload, and callers whom no server
 * should hear. All of them come about by the server's own APIs.
 */
import type { KeyObject } from 'node:crypto'
import { type ChannelCredentials, Client, credentials } from '@grpc/grpc-js'
import { generateKey, toPkcs8 } from '../../../spiffe/key.ts'
import { createCsr } from '../../../spiffe/x509/csr.ts'
import { toPem, toPemChain } from '../../../spiffe/x509/pem.ts'
import { type Kind, type Server, startServer } from '../../processes/cluster.ts'
import { type Message, methodOf } from './methods.ts'
import { callStream, callUnary, type Outcome, type Request, type Respond } from './wire-call.ts'

export const TRUST_DOMAIN = 'example.org'
/** The join token of the agent named `agent`, and so its ID. */
const AGENT_TOKEN = 'first-agent'
export const AGENT_PATH = `/spire/agent/join_token/${AGENT_TOKEN}`

/** Each with what it proves; `local` is the admin socket. */
export const CALLERS = [
  'local',
  'nobody',
  'workload',
  'admin',
  'configured-admin',
  'downstream',
  'agent',
] as const
/** Configured to be an administrator, of a trust domain that is not known from the beginning. */
export const FEDERATED_ADMIN = 'federated-admin'

export interface World extends AsyncDisposable {
  readonly kind: Kind
  readonly server: Server
  /** @param as one of `CALLERS`, or the name of a caller that was added */
  call(
    as: string,
    method: string,
    requests: readonly Request[],
    respond?: Respond,
  ): Promise<Outcome>
  /** From now on `name` calls with this certificate. @param chain DER, leaf first */
  addCaller(name: string, chain: readonly Uint8Array[], key: KeyObject): Promise<void>
}

/** @param attestors the node attestors' blocks @param settings further lines of the `server` block */
export async function openWorld(kind: Kind, attestors: string, settings = ''): Promise<World> {
  const server = await startServer(kind, {
    trustDomain: TRUST_DOMAIN,
    nodeAttestor: attestors,
    settings: `admin_ids = ["spiffe://${TRUST_DOMAIN}/configured-admin", "spiffe://fed.org/admin"]
      jwt_issuer = "https://issuer.example.org"
      experimental { cache_reload_interval = "200ms" }
      ${settings}`,
  })
  const clients = new Map<string, Client>()
  const open = (name: string, address: string, channel: ChannelCredentials) => {
    clients.get(name)?.close()
    // An IP address is no server name; nobody looks at this one.
    clients.set(
      name,
      new Client(address, channel, { 'grpc.ssl_target_name_override': 'localhost' }),
    )
  }
  const world: World = {
    kind,
    server,
    async call(as, name, requests, respond) {
      const client = clients.get(as)
      if (client === undefined) throw new Error(`nobody is called ${as}`)
      const method = methodOf(name)
      return method.requestStream
        ? await callStream(client, method, requests, respond)
        : await callUnary(client, method, requests[0] ?? {})
    },
    async addCaller(name, chain, key) {
      const roots = await rootsOf(world)
      open(name, `127.0.0.1:${server.port}`, tlsWith(roots, { chain, key }))
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients.values()) client.close()
      await server[Symbol.asyncDispose]()
    },
  }
  open('local', `unix:${server.socket}`, credentials.createInsecure())
  open('nobody', `127.0.0.1:${server.port}`, tlsWith(await rootsOf(world)))
  await introduce(world)
  return world
}

async function introduce(world: World): Promise<void> {
  for (const [path, flags] of [
    ['/admin', { admin: true }],
    ['/downstream', { downstream: true }],
    ['/workload', {}],
  ] as const) {
    await mustCall(world, 'Entry/BatchCreateEntry', {
      entries: [
        {
          id: `caller${path.replace('/', '-')}`,
          spiffe_id: { trust_domain: TRUST_DOMAIN, path },
          parent_id: { trust_domain: TRUST_DOMAIN, path: '/callers' },
          selectors: [{ type: 'caller', value: path }],
          ...flags,
        },
      ],
    })
  }
  for (const name of ['workload', 'admin', 'configured-admin', 'downstream']) {
    const key = await generateKey('ec-p256')
    const csr = createCsr({ key, uriSans: [`spiffe://${TRUST_DOMAIN}/${name}`] })
    await world.addCaller(name, svidIn(await mustCall(world, 'SVID/MintX509SVID', { csr })), key)
  }
  await mustCall(world, 'Agent/CreateJoinToken', { ttl: 600, token: AGENT_TOKEN })
  const key = await generateKey('ec-p256')
  const { replies } = await world.call('nobody', 'Agent/AttestAgent', [
    {
      params: {
        data: { type: 'join_token', payload: Buffer.from(AGENT_TOKEN) },
        params: { csr: createCsr({ key }) },
      },
    },
  ])
  await world.addCaller('agent', svidIn((replies[0]?.result ?? {}) as Message), key)
}

async function mustCall(world: World, method: string, request: Message): Promise<Message> {
  const { code, message, replies } = await world.call('local', method, [request])
  if (code !== 0) throw new Error(`${world.kind}: ${method} answered ${code} ${message}`)
  return replies[0] ?? {}
}

/** The chain in an answer that has an `svid`, DER, leaf first. */
export function svidIn(reply: Message): readonly Buffer[] {
  // Cast: the answers of which this is asked have this form.
  const { svid } = reply as { readonly svid?: { readonly cert_chain: readonly Buffer[] } | null }
  if (!svid) throw new Error('an answer without an SVID')
  return svid.cert_chain
}

async function rootsOf(world: World): Promise<string> {
  const { x509_authorities: roots } = await mustCall(world, 'Bundle/GetBundle', {})
  // Cast: as the .proto file has it.
  return (roots as readonly { readonly asn1: Buffer }[])
    .map(({ asn1 }) => toPem('CERTIFICATE', asn1))
    .join('')
}

/** SPIFFE servers have no host name to check. */
function tlsWith(
  roots: string,
  own?: { readonly chain: readonly Uint8Array[]; readonly key: KeyObject },
): ChannelCredentials {
  const pem = own && {
    chain: Buffer.from(toPemChain(own.chain)),
    key: Buffer.from(toPem('PRIVATE KEY', toPkcs8(own.key))),
  }
  return credentials.createSsl(Buffer.from(roots), pem?.key ?? null, pem?.chain ?? null, {
    checkServerIdentity: () => undefined,
  })
}
