/**
 * What an agent, or who would like to be one, may not have: asked over the server's own port, by calls that no agent
 * would make. The servers are real.
 */
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { generateKey, toPkcs8 } from '../../../spiffe/key.ts'
import { parseCertificate } from '../../../spiffe/x509/certificate.ts'
import { createCsr } from '../../../spiffe/x509/csr.ts'
import { toPem, toPemChain } from '../../../spiffe/x509/pem.ts'
import { hears } from '../../conformance/cross-domain/raw-tls.ts'
import type { Message } from '../../interop/rpc/methods.ts'
import type { Outcome } from '../../interop/rpc/wire-call.ts'
import { AGENT_PATH, openWorld, svidIn, type World } from '../../interop/rpc/world.ts'
import { generateToken, launchAgent, startServer } from '../../processes/cluster.ts'
import { until } from '../../processes/process.ts'
import { GREEDY_CSRS, WEAK_CSRS } from './bad-csrs.ts'
import { onBothKinds } from './on-both-kinds.ts'

const PERMISSION_DENIED = 7
const id = (path: string, trust_domain = 'example.org') => ({ trust_domain, path })

interface Item {
  readonly status: { readonly code: number; readonly message: string }
  readonly svid: { readonly cert_chain: readonly Buffer[] } | null
}

/** Attests by a token. */
const attest = (world: World, token: string, csr: Buffer): Promise<Outcome> =>
  world.call('nobody', 'Agent/AttestAgent', [
    { params: { data: { type: 'join_token', payload: Buffer.from(token) }, params: { csr } } },
  ])

const tokenFor = async (world: World, token: string) => {
  const made = await world.call('local', 'Agent/CreateJoinToken', [{ ttl: 600, token }])
  expect(made.code, made.message).toBe(0)
  return token
}

/** A new agent that calls by the name of its token. */
async function join(world: World, token: string) {
  const key = await generateKey('ec-p256')
  const { replies } = await attest(world, await tokenFor(world, token), createCsr({ key }))
  // Cast: AttestAgent answers a token with a result.
  const chain = svidIn(replies[0]?.result as Message)
  await world.addCaller(token, chain, key)
  return { chain, key }
}

onBothKinds((kind) => {
  let world: World
  beforeAll(async () => {
    world = await openWorld(kind, 'NodeAttestor "join_token" { plugin_data {} }')
    const entries = (['/spire/agent/join_token/somebody-else', AGENT_PATH] as const).map(
      (parent, at) => ({
        id: ['foreign', 'own'][at],
        spiffe_id: id(at === 0 ? '/foreign' : '/own'),
        parent_id: id(parent),
        selectors: [{ type: 'unix', value: 'uid:1' }],
      }),
    )
    await world.call('local', 'Entry/BatchCreateEntry', [{ entries }])
    const csr = createCsr({ key: await generateKey('ec-p256') })
    await until('an SVID', async () => (await sign('own', csr))?.status.code === 0)
  })
  afterAll(() => world[Symbol.asyncDispose]())

  /** What an agent gets for its entry and a request. */
  async function sign(entry: string, csr: Buffer): Promise<Item | undefined> {
    const params = [{ entry_id: entry, csr }]
    const { replies } = await world.call('agent', 'SVID/BatchNewX509SVID', [{ params }])
    // Cast: as the .proto file has it.
    return (replies[0]?.results as readonly Item[] | undefined)?.[0]
  }

  test('an agent gets neither SVIDs nor tokens of another agent’s entry, and does not hear of it', async () => {
    const csr = createCsr({ key: await generateKey('ec-p256') })
    expect(await sign('foreign', csr)).toMatchObject({ svid: null, status: { code: 5 } })
    const token = { entry_id: 'foreign', audience: ['a'] }
    expect((await world.call('agent', 'SVID/NewJWTSVID', [token])).code).not.toBe(0)
    const heard = await world.call('agent', 'Entry/GetAuthorizedEntries', [{}])
    expect(JSON.stringify(heard.replies)).toContain('/own')
    expect(JSON.stringify(heard.replies)).not.toContain('/foreign')
  })

  test.for([
    ['Entry/ListEntries', {}],
    ['Entry/BatchCreateEntry', { entries: [] }],
    ['SVID/MintX509SVID', {}],
    ['SVID/MintJWTSVID', {}],
    ['SVID/NewDownstreamX509CA', {}],
    ['Agent/ListAgents', {}],
    ['Agent/CreateJoinToken', { ttl: 60 }],
    ['Bundle/AppendBundle', {}],
    ['TrustDomain/ListFederationRelationships', {}],
  ] as const)('an agent may not call %s', async ([method, request]) => {
    expect((await world.call('agent', method, [request])).code).toBe(PERMISSION_DENIED)
  })

  test.for(GREEDY_CSRS)(
    'a request that asks for %s gets the entry’s ID and no rights',
    async ([, csr]) => {
      const got = await sign('own', await csr())
      const leaf = parseCertificate(got?.svid?.cert_chain[0] ?? Buffer.alloc(0))
      expect(leaf.uriSans).toEqual(['spiffe://example.org/own'])
      expect(leaf.dnsNames).toEqual([])
      expect(leaf.isCa).toBe(false)
      expect(leaf.keyUsage).not.toContain('keyCertSign')
    },
  )

  test.for(WEAK_CSRS)('a request with %s is refused', async ([, csr, spire]) => {
    const got = await sign('own', await csr())
    expect(got?.status.code === 0 ? 'signed' : 'refused').toBe(kind === 'spire' ? spire : 'refused')
  })

  test('a banned agent, and one that was deleted, is refused over the connection that it has', async () => {
    for (const [token, method] of [
      ['to-ban', 'Agent/BanAgent'],
      ['to-delete', 'Agent/DeleteAgent'],
    ] as const) {
      await join(world, token)
      const ask = () => world.call(token, 'Entry/GetAuthorizedEntries', [{}])
      expect((await ask()).code).toBe(0)
      const wire = { id: id(`/spire/agent/join_token/${token}`) }
      expect((await world.call('local', method, [wire])).code).toBe(0)
      await expect.poll(async () => (await ask()).code).toBe(PERMISSION_DENIED)
      const csr = createCsr({ key: await generateKey('ec-p256') })
      expect((await world.call(token, 'Agent/RenewAgent', [{ params: { csr } }])).code).toBe(7)
    }
  })

  test('a join token is good once, and nothing that is nearly one is good', async () => {
    const csr = createCsr({ key: await generateKey('ec-p256') })
    const token = await tokenFor(world, 'Once-Only')
    const guesses = [
      'once-only',
      'Once-Onl',
      'Once-Only ',
      ' Once-Only',
      'Once-Only\0',
      '',
      '%',
      '*',
    ]
    for (const guess of guesses) expect((await attest(world, guess, csr)).code, guess).not.toBe(0)
    expect((await attest(world, token, csr)).code).toBe(0)
    expect((await attest(world, token, csr)).code).not.toBe(0)
  })

  test('a join token of one trust domain is none in another', async () => {
    await using other = await startServer(kind, { trustDomain: 'other.org' })
    const stolen = await generateToken(world.server)
    await using agent = await launchAgent(kind, other, { joinToken: stolen })
    expect(await agent.process().ended).toBe(1)
    const csr = createCsr({ key: await generateKey('ec-p256') })
    expect((await attest(world, stolen, csr)).code).toBe(0)
  })

  test('a TLS session is not taken up again, so no verdict about a certificate outlives its connection', async () => {
    const { chain, key } = await join(world, 'resuming')
    const identity = {
      cert: toPemChain(chain),
      key: toPem('PRIVATE KEY', toPkcs8(key)),
    }
    for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
      const session = await sessionOf(world.server.port, { ...identity, maxVersion })
      const isReused = await reuses(world.server.port, { session, maxVersion })
      expect(isReused).toBe(false)
    }
  })
})

const dial = async (port: number, options: object): Promise<TLSSocket> => {
  const socket = connect({
    ...{ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['h2'] },
    ...options,
  })
  await once(socket, 'secureConnect')
  return socket
}

/** The last session that the server offers before it speaks. */
async function sessionOf(port: number, options: object): Promise<Buffer | undefined> {
  const socket = await dial(port, options)
  let last: Buffer | undefined
  socket.on('session', (session: Buffer) => {
    last = session
  })
  await once(socket, 'data')
  socket.destroy()
  return last ?? socket.getSession()
}

/** Whether the server speaks over a connection that took the session up. One that ends it, as SPIRE's may, does not. */
async function reuses(port: number, options: object): Promise<boolean> {
  try {
    const socket = await dial(port, options)
    socket.on('error', () => {})
    const isServed = socket.isSessionReused() && (await hears(socket))
    socket.destroy()
    return isServed
  } catch {
    return false
  }
}
