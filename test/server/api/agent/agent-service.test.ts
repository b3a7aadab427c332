import { X509Certificate } from 'node:crypto'
import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CountAgentsResponse } from '../../../../proto/gen/spire/api/server/agent/v1/CountAgentsResponse.ts'
import type {
  _spire_api_server_agent_v1_ListAgentsRequest_FilterInput as FilterInput,
  ListAgentsRequestInput,
} from '../../../../proto/gen/spire/api/server/agent/v1/ListAgentsRequest.ts'
import type { ListAgentsResponse } from '../../../../proto/gen/spire/api/server/agent/v1/ListAgentsResponse.ts'
import type { RenewAgentResponse } from '../../../../proto/gen/spire/api/server/agent/v1/RenewAgentResponse.ts'
import type { ListEntriesResponse } from '../../../../proto/gen/spire/api/server/entry/v1/ListEntriesResponse.ts'
import type { Agent, AgentInput } from '../../../../proto/gen/spire/api/types/Agent.ts'
import type { JoinToken } from '../../../../proto/gen/spire/api/types/JoinToken.ts'
import { fromStatus } from '../../../../proto/status.ts'
import { systemClock, unixSeconds } from '../../../../spiffe/clock.ts'
import { pathOf, type SpiffeId } from '../../../../spiffe/id.ts'
import { generateKey } from '../../../../spiffe/key.ts'
import { createCsr } from '../../../../spiffe/x509/csr.ts'
import { toPemChain } from '../../../../spiffe/x509/pem.ts'
import {
  type AttestedAgent,
  attest,
  attestOnce,
  type Clients,
  call,
  newToken,
  startTestServer,
  type TestServer,
} from '../../running-server.ts'

let server: TestServer
let admin: Clients
let anonymous: Clients
beforeAll(async () => {
  server = await startTestServer()
  admin = server.admin
  anonymous = await server.connect()
})
afterAll(() => server[Symbol.asyncDispose]())

const wireId = (path: string, trust_domain = 'example.org') => ({ trust_domain, path })
const wire = (id: SpiffeId) => wireId(pathOf(id))
const show = (id: SpiffeId) => call<Agent>((done) => admin.agent.GetAgent({ id: wire(id) }, done))
const list = (request: ListAgentsRequestInput) =>
  call<ListAgentsResponse>((done) => admin.agent.ListAgents(request, done))
const count = async (filter: FilterInput | null) =>
  (await call<CountAgentsResponse>((done) => admin.agent.CountAgents({ filter }, done))).count
const ban = (id: SpiffeId) => call((done) => admin.agent.BanAgent({ id: wire(id) }, done))
const evict = (id: SpiffeId) => call((done) => admin.agent.DeleteAgent({ id: wire(id) }, done))
const serialOf = (pem: string) => BigInt(`0x${new X509Certificate(pem).serialNumber}`).toString()
const askEntries = (clients: Clients) =>
  call((done) => clients.entry.GetAuthorizedEntries({}, done))

async function renew(clients: Clients): Promise<AttestedAgent['certificate']> {
  const key = await generateKey('ec-p256')
  const { svid } = await call<RenewAgentResponse>((done) =>
    clients.agent.RenewAgent({ params: { csr: createCsr({ key }) } }, done),
  )
  return {
    chain: toPemChain(svid?.cert_chain ?? []),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

test('an agent attests by join token and is listed with the serial of its SVID', async () => {
  const token = await newToken(admin)
  const agent = await attest(anonymous, token)
  expect(pathOf(agent.id)).toBe(`/spire/agent/join_token/${token}`)
  expect(await show(agent.id)).toMatchObject({
    id: wire(agent.id),
    attestation_type: 'join_token',
    x509svid_serial_number: serialOf(agent.certificate.chain),
    banned: false,
    can_reattest: false,
    selectors: [],
  } satisfies AgentInput)
  expect(server.lines).toContainEqual(
    expect.objectContaining({
      msg: 'Agent attestation request completed',
      agent_id: agent.id,
      node_attestor_type: 'join_token',
    }),
  )
})

test('a join token works once', async () => {
  const token = await newToken(admin)
  await attest(anonymous, token)
  await expect(attest(anonymous, token)).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: 'failed to attest: join token does not exist or has already been used',
  })
})

const csr = async () => createCsr({ key: await generateKey('ec-p256') })
const type = 'join_token'

test.for([
  ['no params', undefined, 'malformed param: missing params'],
  ['no attestation data', {}, 'malformed param: missing attestation data'],
  ['no SVID parameters', { data: {} }, 'malformed param: missing X509-SVID parameters'],
  ['no CSR', { data: {}, params: {} }, 'malformed param: missing CSR'],
  [
    'no attestor type',
    { data: {}, params: { csr: Buffer.of(0) } },
    'malformed param: missing attestation data type',
  ],
  [
    'no payload',
    { data: { type }, params: { csr: Buffer.of(0) } },
    'malformed param: missing attestation data payload',
  ],
  [
    'an unknown token',
    { data: { type, payload: Buffer.from('guess') }, params: { csr: Buffer.of(0) } },
    'failed to attest: join token does not exist or has already been used',
  ],
] as const)('attestation refuses %s', async ([, params, details]) => {
  await expect(attestOnce(anonymous.agent, params)).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details,
  })
})

test('attestation refuses a type that it has no attestor for', async () => {
  await expect(
    attestOnce(anonymous.agent, {
      data: { type: 'sshpop', payload: Buffer.of(1) },
      params: { csr: await csr() },
    }),
  ).rejects.toMatchObject({
    code: status.FAILED_PRECONDITION,
    details: 'error getting node attestor: could not find node attestor type "sshpop"',
  })
})

test('attestation refuses a CSR that is none, and one that somebody else signed; the token is used up', async () => {
  const tampered = Buffer.from(await csr())
  tampered.writeUInt8(tampered.readUInt8(tampered.length - 1) ^ 1, tampered.length - 1)
  for (const bad of [Buffer.of(0), tampered]) {
    const token = await newToken(admin)
    const params = { data: { type, payload: Buffer.from(token) }, params: { csr: bad } }
    await expect(attestOnce(anonymous.agent, params)).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringMatching(/^failed to parse CSR: /),
    })
    await expect(attest(anonymous, token)).rejects.toThrow(/does not exist/)
  }
})

test('a caller that hangs up before it said anything is refused', async () => {
  const stream = anonymous.agent.AttestAgent()
  const failed = new Promise((resolve) => stream.once('error', resolve))
  stream.on('data', () => {})
  stream.end()
  expect(await failed).toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: 'failed to receive request from stream: EOF',
  })
})

test('a banned agent is told so, is listed as banned, and cannot attest until it is deleted', async () => {
  const { value: token } = await call<JoinToken>((done) =>
    admin.agent.CreateJoinToken({ ttl: 60, token: 'to-be-banned' }, done),
  )
  const agent = await attest(anonymous, token)
  const clients = await server.connect(agent.certificate)
  await askEntries(clients)
  await ban(agent.id)
  expect(await askEntries(clients).catch(fromStatus)).toMatchObject({ code: 'AGENT_BANNED' })
  expect(await show(agent.id)).toMatchObject({ banned: true, x509svid_serial_number: '' })

  const again = () => call((done) => admin.agent.CreateJoinToken({ ttl: 60, token }, done))
  await again()
  const refused = await attest(anonymous, token).catch((error) => error)
  expect(refused).toMatchObject({
    code: status.PERMISSION_DENIED,
    details: 'failed to attest: agent is banned',
  })
  expect(fromStatus(refused)).toMatchObject({ code: 'NOT_AUTHORIZED' }) // no recovery details

  await evict(agent.id)
  await again()
  expect((await attest(anonymous, token)).id).toBe(agent.id)
})

test('a renewed SVID becomes the one in use when it is first seen; until then the old one works', async () => {
  const agent = await server.attest()
  const old = await server.connect(agent.certificate)
  const renewed = await renew(old)
  await askEntries(old)
  expect((await show(agent.id)).x509svid_serial_number).toBe(serialOf(agent.certificate.chain))

  await askEntries(await server.connect(renewed))
  expect((await show(agent.id)).x509svid_serial_number).toBe(serialOf(renewed.chain))
  expect(await askEntries(old).catch(fromStatus)).toMatchObject({ code: 'AGENT_NOT_ACTIVE' })
})

test('two first calls at once with a renewed SVID are both let in', async () => {
  const agent = await server.attest()
  const renewed = await renew(await server.connect(agent.certificate))
  const [one, two] = await Promise.all([server.connect(renewed), server.connect(renewed)])
  await Promise.all([askEntries(one), askEntries(two), askEntries(one)])
})

test('renewal refuses a request without params and one without CSR', async () => {
  const { certificate } = await server.attest()
  const { agent } = await server.connect(certificate)
  const ask = (params: { csr?: Buffer } | null) =>
    call((done) => agent.RenewAgent({ params }, done))
  await expect(ask(null)).rejects.toMatchObject({ details: 'params cannot be nil' })
  await expect(ask({})).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: 'missing CSR',
  })
})

test('an agent says which version it runs', async () => {
  const { id, certificate } = await server.attest()
  const { agent } = await server.connect(certificate)
  const post = (agent_version: string) => call((done) => agent.PostStatus({ agent_version }, done))
  await post('1.2.3')
  expect((await show(id)).agent_version).toBe('1.2.3')
  await post('')
  expect((await show(id)).agent_version).toBe('1.2.3')
  await expect(post('x'.repeat(256))).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: 'agent version is too long (max 255 characters)',
  })
})

test('a token with an agent ID also makes the entry that gives the node this ID', async () => {
  const token = await call<JoinToken>((done) =>
    admin.agent.CreateJoinToken({ ttl: 60, agent_id: wireId('/node/a') }, done),
  )
  const agentPath = `/spire/agent/join_token/${token.value}`
  const filter = { by_parent_id: wireId(agentPath) }
  const aliases = () =>
    call<ListEntriesResponse>((done) => admin.entry.ListEntries({ filter }, done))
  expect((await aliases()).entries).toMatchObject([
    {
      spiffe_id: wireId('/node/a'),
      parent_id: wireId(agentPath),
      selectors: [{ type: 'spiffe_id', value: `spiffe://example.org${agentPath}` }],
    },
  ])
  const agent = await attest(anonymous, token.value)
  await evict(agent.id)
  expect((await aliases()).entries).toEqual([])
})

test('a token can be chosen, once, and expires when it was said to', async () => {
  const before = unixSeconds(systemClock.now())
  const make = () =>
    call<JoinToken>((done) => admin.agent.CreateJoinToken({ ttl: 60, token: 'chosen' }, done))
  const made = await make()
  expect(made.value).toBe('chosen')
  expect(made.expires_at - before).toBeGreaterThanOrEqual(60)
  expect(made.expires_at - before).toBeLessThan(120)
  await expect(make()).rejects.toMatchObject({
    code: status.INTERNAL,
    details: expect.stringMatching(/^failed to create token: /),
  })
})

test.for([
  [{}, 'ttl is required, you must provide one'],
  [{ ttl: -4 }, 'ttl is required, you must provide one'],
  [{ ttl: 60, agent_id: {} }, 'invalid agent ID: trust domain is missing'],
  [
    { ttl: 60, agent_id: wireId('/spire/x') },
    'invalid agent ID: "spiffe://example.org/spire/x" is not a workload in trust domain "example.org"; path is in the reserved namespace',
  ],
  [
    { ttl: 60, agent_id: wireId('/x', 'other.org') },
    'invalid agent ID: "spiffe://other.org/x" is not a member of trust domain "example.org"',
  ],
  [
    { ttl: 60, agent_id: wireId('') },
    'invalid agent ID: "spiffe://example.org" is not a workload in trust domain "example.org"; path is empty',
  ],
] as const)('CreateJoinToken refuses %j', async ([request, details]) => {
  await expect(call((done) => admin.agent.CreateJoinToken(request, done))).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details,
  })
})

test('a token that no SPIFFE ID can hold is refused without being repeated', async () => {
  await expect(
    call((done) => admin.agent.CreateJoinToken({ ttl: 60, token: 'has space' }, done)),
  ).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: expect.not.stringContaining('has space'),
  })
})

test.for([
  [{}, 'invalid agent ID: request must specify SPIFFE ID'],
  [
    { id: wireId('/w') },
    'invalid agent ID: "spiffe://example.org/w" is not an agent in trust domain "example.org"; path is not in the agent namespace',
  ],
  [
    { id: wireId('') },
    'invalid agent ID: "spiffe://example.org" is not an agent in trust domain "example.org"; path is empty',
  ],
  [
    { id: wireId('/spire/agent/x', 'other.org') },
    'invalid agent ID: "spiffe://other.org/spire/agent/x" is not a member of trust domain "example.org"',
  ],
] as const)('showing, deleting and banning refuse %j', async ([request, details]) => {
  const refusal = { code: status.INVALID_ARGUMENT, details }
  await expect(call((done) => admin.agent.GetAgent(request, done))).rejects.toMatchObject(refusal)
  await expect(call((done) => admin.agent.DeleteAgent(request, done))).rejects.toMatchObject(
    refusal,
  )
  await expect(call((done) => admin.agent.BanAgent(request, done))).rejects.toMatchObject(refusal)
})

test('showing, deleting and banning an agent that is not there is answered NOT_FOUND', async () => {
  const request = { id: wireId('/spire/agent/nope') }
  const refusal = { code: status.NOT_FOUND, details: 'agent not found' }
  await expect(call((done) => admin.agent.GetAgent(request, done))).rejects.toMatchObject(refusal)
  await expect(call((done) => admin.agent.DeleteAgent(request, done))).rejects.toMatchObject(
    refusal,
  )
  await expect(call((done) => admin.agent.BanAgent(request, done))).rejects.toMatchObject(refusal)
})

test('lists and counts are filtered, masked and paged', async () => {
  const [a, b] = [await server.attest(), await server.attest()]
  await ban(b.id)
  const total = await count(null)
  expect(await count({ by_attestation_type: 'join_token' })).toBe(total)
  expect(await count({ by_attestation_type: 'x509pop' })).toBe(0)
  expect(await count({ by_can_reattest: { value: true } })).toBe(0)
  expect(await count({ by_expires_before: 'not a time' })).toBe(total)
  expect(await count({ by_expires_before: '2020-01-01 00:00:00 +0000 +00' })).toBe(0)
  const banned = await list({ filter: { by_banned: { value: true } }, output_mask: {} })
  expect(banned.agents.map(({ id }) => id?.path)).toContain(pathOf(b.id))
  expect(banned.agents.map(({ id }) => id?.path)).not.toContain(pathOf(a.id))
  expect(banned.agents[0]).toMatchObject({ attestation_type: '', banned: false })

  const seen: (string | undefined)[] = []
  let page_token = ''
  do {
    const page = await list({ page_size: 1, page_token })
    seen.push(...page.agents.map(({ id }) => id?.path))
    page_token = page.next_page_token
  } while (page_token !== '')
  expect(new Set(seen).size).toBe(total)
})

test('a filter with a bad selector is refused', async () => {
  const filter = { by_selector_match: { selectors: [{ type: '', value: 'x' }] } }
  await expect(list({ filter })).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: 'failed to parse selectors: missing selector type',
  })
})

test.for([
  ['gets its own SPIFFE ID as a selector where the file says so', true],
  ['gets no such selector otherwise', false],
] as const)('an agent %s', async ([, hasAgentIdSelector]) => {
  await using own = await startTestServer({ config: { hasAgentIdSelector } })
  const { id } = await own.attest()
  const { selectors } = await call<Agent>((done) =>
    own.admin.agent.GetAgent({ id: wire(id) }, done),
  )
  expect(selectors).toEqual(hasAgentIdSelector ? [{ type: 'spiffe_id', value: id }] : [])
})
