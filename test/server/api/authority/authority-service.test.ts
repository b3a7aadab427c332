import { afterAll, beforeAll, expect, test } from 'vitest'
import type { GetX509AuthorityStateResponse } from '../../../../proto/gen/spire/api/server/localauthority/v1/GetX509AuthorityStateResponse.ts'
import type { Bundle } from '../../../../proto/gen/spire/api/types/Bundle.ts'
import type { DiscardPreparedResponse } from '../../../../proto/gen/steeple/server/authority/v1/DiscardPreparedResponse.ts'
import type { GetOverviewResponse } from '../../../../proto/gen/steeple/server/authority/v1/GetOverviewResponse.ts'
import type { GetProgressResponse } from '../../../../proto/gen/steeple/server/authority/v1/GetProgressResponse.ts'
import type { ListServersResponse } from '../../../../proto/gen/steeple/server/authority/v1/ListServersResponse.ts'
import type { StepInput } from '../../../../proto/gen/steeple/server/authority/v1/Step.ts'
import type { TakeStepResponse } from '../../../../proto/gen/steeple/server/authority/v1/TakeStepResponse.ts'
import { authorityIdOf } from '../../../../spiffe/x509/key-id.ts'
import { call, startTestServer, type TestServer } from '../../running-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server[Symbol.asyncDispose]())

const progress = (kind: 'X509' | 'JWT' | 'KIND_UNSPECIFIED' = 'X509') =>
  call<GetProgressResponse>((done) => server.admin.authority.GetProgress({ kind }, done))
const discard = (authority_id: string) =>
  call<DiscardPreparedResponse>((done) =>
    server.admin.authority.DiscardPrepared({ kind: 'X509', authority_id }, done),
  )
const inBundle = async () => {
  const { x509_authorities } = await call<Bundle>((done) => server.admin.bundle.GetBundle({}, done))
  return x509_authorities.map(({ asn1 }) => authorityIdOf(asn1))
}

test('a server that has just begun knows all that its authority signed: its own SVID', async () => {
  const { active, prepared, old, activation, has_upstream } = await progress()
  expect(active).toMatchObject({ tainted: false, unknown_until: 0, use_count: 1 })
  expect(active?.uses).toMatchObject([
    { kind: 'SERVER_SVID', holder: 'spiffe://example.org/spire/server', count: 1 },
  ])
  expect({ prepared, old, activation, has_upstream }).toEqual({
    ...{ prepared: null, old: null, activation: 'BY_SCHEDULE', has_upstream: false },
  })
})

test('an agent is a follower from its attestation on, and has heard once it has asked', async () => {
  const agent = await server.attest()
  const before = await progress('JWT')
  expect(before.follower_count).toBe(1)
  expect(before.active?.behind).toMatchObject([
    { spiffe_id: agent.id, kind: 'AGENT', handed_at: 0 },
  ])
  const { bundle } = await server.connect(agent.certificate)
  await call((done) => bundle.GetBundle({ output_mask: { sequence_number: true } }, done))
  expect((await progress('JWT')).active?.behind_count).toBe(1)
  await call((done) => bundle.GetBundle({}, done))
  expect((await progress('JWT')).active?.behind_count).toBe(0)
})

test('a downstream entry is a server below that has to hear too', async () => {
  await call((done) =>
    server.admin.entry.BatchCreateEntry(
      {
        entries: [
          {
            spiffe_id: { trust_domain: 'example.org', path: '/below' },
            parent_id: { trust_domain: 'example.org', path: '/parent' },
            selectors: [{ type: 'unix', value: 'uid:1' }],
            downstream: true,
          },
        ],
      },
      done,
    ),
  )
  const { active } = await progress()
  expect(active?.behind).toContainEqual(
    expect.objectContaining({ spiffe_id: 'spiffe://example.org/below', kind: 'DOWNSTREAM' }),
  )
})

test('what is prepared is discarded from slots and bundle, and nothing else can be', async () => {
  const { prepared_authority } = await call<{
    prepared_authority: { authority_id: string } | null
  }>((done) => server.admin.localAuthority.PrepareX509Authority({}, done))
  const id = prepared_authority?.authority_id ?? ''
  expect(await inBundle()).toContain(id)
  const { active } = await progress()
  await expect(discard(active?.authority_id ?? '')).rejects.toMatchObject({ code: 9 })
  expect(await discard(id)).toEqual({ authority_id: id })
  expect(await inBundle()).toEqual([active?.authority_id])
  const state = await call<GetX509AuthorityStateResponse>((done) =>
    server.admin.localAuthority.GetX509AuthorityState({}, done),
  )
  expect(state.prepared).toBeNull()
  await expect(discard(id)).rejects.toMatchObject({ code: 9 })
})

const overview = (kind: 'X509' | 'JWT' | 'KIND_UNSPECIFIED' = 'X509') =>
  call<GetOverviewResponse>((done) => server.admin.authority.GetOverview({ kind }, done))
const take = (step: StepInput, authority_id: string, server_key = 'server') =>
  call<TakeStepResponse>((done) =>
    server.admin.authority.TakeStep({ kind: 'X509', step, authority_id, server_key }, done),
  )

test('with SQLite there is one server, which lists itself with what signs', async () => {
  const { servers } = await call<ListServersResponse>((done) =>
    server.admin.authority.ListServers({}, done),
  )
  const { active } = await progress()
  expect(servers).toMatchObject([
    { key: 'server', state: 'HERE', x509: { active: active?.authority_id, prepared: '' } },
  ])
})

test('the overview of one server says what its progress says', async () => {
  const { servers, others, follower_count } = await overview()
  const alone = await progress()
  expect(servers).toHaveLength(1)
  expect(servers[0]?.active).toMatchObject({
    authority_id: alone.active?.authority_id,
    use_count: alone.active?.use_count,
    behind_count: alone.active?.behind_count,
  })
  expect({ others, follower_count }).toEqual({ others: [], follower_count: alone.follower_count })
})

test('steps are taken by the key of the server, and refused for what signs and for who is not there', async () => {
  const active = (await progress()).active?.authority_id ?? ''
  const { authority_id: prepared } = await take('PREPARE', active)
  expect((await take('PREPARE', active)).authority_id).toBe(prepared)
  for (const step of ['TAINT', 'REVOKE'] as const) {
    for (const id of [active, prepared]) {
      await expect(take(step, id)).rejects.toMatchObject({ code: 9 })
    }
    await expect(take(step, 'unknown')).rejects.toMatchObject({ code: 5 })
  }
  await expect(take('ACTIVATE', prepared, 'nobody')).rejects.toMatchObject({ code: 5 })
  await expect(take('STEP_UNSPECIFIED', prepared)).rejects.toMatchObject({ code: 3 })
  await expect(take('REVOKE', active)).rejects.toMatchObject({ code: 9 })
  expect((await take('DISCARD', prepared)).authority_id).toBe(prepared)
  await expect(take('PREPARE', prepared)).rejects.toMatchObject({ code: 9 })
})

test('the only server cannot be forgotten, nor one that is not there', async () => {
  const forget = (server_key: string) =>
    call((done) => server.admin.authority.ForgetServer({ server_key }, done))
  await expect(forget('server')).rejects.toMatchObject({ code: 9 })
  await expect(forget('other')).rejects.toMatchObject({ code: 5 })
})

test('a kind that is none is refused, and so is anybody but an administrator', async () => {
  await expect(progress('KIND_UNSPECIFIED')).rejects.toMatchObject({ code: 3 })
  const agent = await server.attest()
  const { authority } = await server.connect(agent.certificate)
  const asked = [
    call((done) => authority.GetProgress({ kind: 'X509' }, done)),
    call((done) => authority.GetOverview({ kind: 'X509' }, done)),
    call((done) => authority.ListServers({}, done)),
    call((done) => authority.TakeStep({ kind: 'X509', step: 'PREPARE' }, done)),
    call((done) => authority.ForgetServer({ server_key: 'x' }, done)),
  ]
  for (const one of asked) await expect(one).rejects.toMatchObject({ code: 7 })
})

test('without JWT-SVIDs there is no progress of JWT authorities', async () => {
  await using without = await startTestServer({ config: { disableJwtSvids: true } })
  await expect(
    call((done) => without.admin.authority.GetProgress({ kind: 'JWT' }, done)),
  ).rejects.toMatchObject({ code: 12, details: 'JWT functionality is disabled' })
})
