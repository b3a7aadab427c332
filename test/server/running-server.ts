/** The whole server in this process, on a real socket and a real port, and clients of every kind for it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type ChannelCredentials,
  type Client,
  type ClientReadableStream,
  credentials,
  type ServiceError,
} from '@grpc/grpc-js'
import type { AgentClient } from '../../proto/gen/spire/api/server/agent/v1/Agent.ts'
import type { AttestAgentResponse } from '../../proto/gen/spire/api/server/agent/v1/AttestAgentResponse.ts'
import type { MintX509SVIDResponse } from '../../proto/gen/spire/api/server/svid/v1/MintX509SVIDResponse.ts'
import type { Bundle } from '../../proto/gen/spire/api/types/Bundle.ts'
import type { JoinToken } from '../../proto/gen/spire/api/types/JoinToken.ts'
import {
  agentApi,
  authorityApi,
  bundleApi,
  debugApi,
  entryApi,
  federationApi,
  healthApi,
  localAuthorityApi,
  loggerApi,
  meshApi,
  svidApi,
  syncApi,
  trustDomainApi,
} from '../../proto/load.ts'
import type { ServerConfig } from '../../server/config.ts'
import { runServer } from '../../server/main.ts'
import { type Clock, systemClock } from '../../spiffe/clock.ts'
import { parseTrustDomain, type SpiffeId, spiffeId } from '../../spiffe/id.ts'
import { generateKey } from '../../spiffe/key.ts'
import { createCsr } from '../../spiffe/x509/csr.ts'
import { toPem, toPemChain } from '../../spiffe/x509/pem.ts'
import { type LogLine, memoryLog } from '../fakes/memory-log.ts'

export const trustDomain = parseTrustDomain('example.org')

export interface TestServer extends AsyncDisposable {
  readonly dir: string
  readonly port: number
  readonly socketPath: string
  readonly lines: readonly LogLine[]
  /** Clients on the admin socket. */
  readonly admin: Clients
  /** Clients on the TCP port: anonymous, or with the certificate given. */
  connect(certificate?: ClientCertificate): Promise<Clients>
  attest(token?: string): Promise<AttestedAgent>
  stop(): Promise<void>
}

export interface ClientCertificate {
  /** PEM, leaf first. */
  readonly chain: string
  /** PEM. */
  readonly key: string
}

export interface AttestedAgent {
  readonly id: SpiffeId
  readonly certificate: ClientCertificate
}

export interface Options {
  readonly dir?: string
  readonly clock?: Clock
  readonly config?: Partial<ServerConfig>
}

const config = (dir: string): ServerConfig => ({
  adminIds: [],
  attestorsInFiles: [],
  agentTtlSeconds: undefined,
  bindAddress: '127.0.0.1',
  bindPort: 0,
  caKeyType: 'ec-p256',
  caSubject: { country: ['US'], organization: ['SPIFFE'], commonName: undefined },
  caTtlSeconds: 86_400,
  controller: undefined,
  injection: undefined,
  policyStatus: undefined,
  dataDir: dir,
  dataStore: {
    ...{ kind: 'sqlite', path: join(dir, 'datastore.sqlite3') },
    ...{ migrates: true, logsSql: false },
  },
  defaultJwtSvidTtlSeconds: 300,
  defaultX509SvidTtlSeconds: 3_600,
  disableJwtSvids: false,
  hasAgentIdSelector: false,
  federation: { endpoint: undefined, relationships: [] },
  upstream: undefined,
  hasAuditLog: false,
  health: undefined,
  jwtIssuer: undefined,
  jwtKeyType: 'ec-p256',
  keyManager: { kind: 'disk', keysPath: join(dir, 'keys.json') },
  log: { level: 'DEBUG', format: 'json', file: undefined, hasSource: false },
  mesh: { istioCa: undefined, linkerd: undefined },
  nodeAttestors: [{ kind: 'join_token' }],
  pruneNodes: undefined,
  podCertificates: [],
  publishers: [],
  rateLimit: { attestation: false, signing: false },
  requirePqKem: false,
  socketPath: join(dir, 'api.sock'),
  telemetry: undefined,
  trustDomain,
  trustedProxies: [],
  warnings: [],
})

export async function startTestServer(options: Options = {}): Promise<TestServer> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'steeple-api-'))
  const { log, lines } = memoryLog()
  const settings = { ...config(dir), ...options.config }
  const stopping = new AbortController()
  const ready = Promise.withResolvers<{ port: number }>()
  const ended = runServer(settings, {
    log,
    clock: options.clock ?? systemClock,
    signal: stopping.signal,
    onReady: ready.resolve,
  })
  const { port } = await Promise.race([
    ready.promise,
    ended.then(() => Promise.reject(new Error('the server ended before it was ready'))),
  ])
  const opened: Clients[] = []
  const open = (address: string, channel: ChannelCredentials) => {
    const clients = clientsOf(address, channel)
    opened.push(clients)
    return clients
  }
  const admin = open(`unix:${settings.socketPath}`, credentials.createInsecure())
  const connect = async (certificate?: ClientCertificate) =>
    open(`127.0.0.1:${port}`, await tlsCredentials(admin, certificate))
  const stop = async () => {
    for (const clients of opened.splice(0))
      for (const client of Object.values(clients)) client.close()
    stopping.abort()
    await ended
  }
  return {
    ...{ dir, port, lines, admin, connect, stop },
    socketPath: settings.socketPath,
    attest: async (token) => attest(await connect(), token ?? (await newToken(admin))),
    async [Symbol.asyncDispose]() {
      await stop()
      if (options.dir === undefined) rmSync(dir, { recursive: true, force: true })
    },
  }
}

export type Clients = ReturnType<typeof clientsOf>

function clientsOf(address: string, channel: ChannelCredentials) {
  // An IP address is no server name; nobody looks at this one.
  const options = { 'grpc.ssl_target_name_override': 'localhost' }
  return {
    agent: new (agentApi())(address, channel, options),
    bundle: new (bundleApi())(address, channel, options),
    entry: new (entryApi())(address, channel, options),
    svid: new (svidApi())(address, channel, options),
    health: new (healthApi())(address, channel, options),
    localAuthority: new (localAuthorityApi())(address, channel, options),
    trustDomain: new (trustDomainApi())(address, channel, options),
    debug: new (debugApi())(address, channel, options),
    logger: new (loggerApi())(address, channel, options),
    authority: new (authorityApi())(address, channel, options),
    federation: new (federationApi())(address, channel, options),
    mesh: new (meshApi())(address, channel, options),
    sync: new (syncApi())(address, channel, options),
  } satisfies Record<string, Client>
}

/** Trusts the server's bundle of this moment; SPIFFE servers have no host name to check. */
async function tlsCredentials(
  admin: Clients,
  certificate: ClientCertificate | undefined,
): Promise<ChannelCredentials> {
  const bundle = await call<Bundle>((done) => admin.bundle.GetBundle({}, done))
  const roots = bundle.x509_authorities.map(({ asn1 }) => toPem('CERTIFICATE', asn1)).join('')
  return credentials.createSsl(
    Buffer.from(roots),
    certificate === undefined ? null : Buffer.from(certificate.key),
    certificate === undefined ? null : Buffer.from(certificate.chain),
    { checkServerIdentity: () => undefined },
  )
}

/** One unary call. */
export function call<Res>(
  start: (done: (error: ServiceError | null, reply?: Res) => void) => unknown,
): Promise<Res> {
  return new Promise((resolve, reject) => {
    start((error, reply) => {
      if (error !== null || reply === undefined) reject(error ?? new Error('no reply'))
      else resolve(reply)
    })
  })
}

/** What a stream brings, one message after another; throws its status when it fails. */
export async function* messagesOf<Res>(stream: ClientReadableStream<Res>): AsyncGenerator<Res> {
  // Cast: grpc-js types its streams as streams of anything.
  yield* stream as AsyncIterable<Res>
}

/** Clients with a minted SVID of that ID. */
export async function connectAs(server: TestServer, id: string): Promise<Clients> {
  const key = await generateKey('ec-p256')
  const { svid } = await call<MintX509SVIDResponse>((done) =>
    server.admin.svid.MintX509SVID({ csr: createCsr({ key, uriSans: [id] }) }, done),
  )
  return await server.connect({
    chain: toPemChain(svid?.cert_chain ?? []),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  })
}

export async function newToken(admin: Clients): Promise<string> {
  return (await call<JoinToken>((done) => admin.agent.CreateJoinToken({ ttl: 600 }, done))).value
}

export async function attest(clients: Clients, token: string): Promise<AttestedAgent> {
  const key = await generateKey('ec-p256')
  const reply = await attestOnce(clients.agent, {
    data: { type: 'join_token', payload: Buffer.from(token) },
    params: { csr: createCsr({ key }) },
  })
  const { svid } = reply.result ?? {}
  if (!svid) throw new Error('attestation gave no SVID')
  return {
    id: spiffeId(trustDomain, svid.id?.path ?? ''),
    certificate: {
      chain: toPemChain(svid.cert_chain),
      key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    },
  }
}

type AttestParams = Parameters<ReturnType<AgentClient['AttestAgent']>['write']>[0]['params']

/** The first answer to an attestation. */
export function attestOnce(
  client: AgentClient,
  params: AttestParams,
): Promise<AttestAgentResponse> {
  return new Promise((resolve, reject) => {
    const stream = client.AttestAgent()
    stream.once('data', resolve)
    stream.once('error', reject)
    stream.write(params === undefined ? {} : { params })
    stream.end()
  })
}
