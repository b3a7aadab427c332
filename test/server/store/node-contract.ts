/** The contract of attested nodes: attesting, renewing, banning, removing, pruning. */
import { expect, test } from 'vitest'
import { joinTokenAlias } from '../../../server/entries/entry.ts'
import type { AttestedNode } from '../../../server/nodes/node.ts'
import type { Attestation } from '../../../server/store/store.ts'
import { idOf, newEntry, selectorsOf } from '../entries/sample-entry.ts'
import { START, type StoreUnderTest } from './store-under-test.ts'

const id = idOf('/spire/agent/x509pop/one')
const unknown = idOf('/spire/agent/x509pop/unknown')
const hour = (hours: number) => new Date(START.getTime() + hours * 3_600_000)

const attestation = (fields: Partial<Attestation> = {}): Attestation => ({
  id,
  attestationType: 'x509pop',
  serialNumber: '340282366920938463463374607431768211455',
  expiresAt: hour(1),
  canReattest: true,
  selectors: selectorsOf('x509pop:cn:a', 'x509pop:ca:b'),
  ...fields,
})

const node: AttestedNode = {
  ...attestation(),
  newSerialNumber: '',
  newExpiresAt: undefined,
  agentVersion: '',
}

export function nodeContract(underTest: () => StoreUnderTest): void {
  const nodes = () => underTest().store.nodes

  test('an attested node is what the attestation said', async () => {
    expect(await nodes().attest(attestation())).toEqual({ kind: 'stored', node })
    expect(await nodes().find(id)).toEqual(node)
    expect(await nodes().findMany([unknown, id])).toEqual([node])
  })

  test('selectors given twice are kept once', async () => {
    await nodes().attest(attestation({ selectors: selectorsOf('a:1', 'a:2', 'a:1') }))
    expect((await nodes().find(id))?.selectors).toEqual(['a:1', 'a:2'])
  })

  test('attesting again replaces everything but the version the agent told', async () => {
    await nodes().attest(attestation())
    await nodes().setAgentVersion(id, '1.2.3')
    await nodes().renew(node, '77', hour(2))
    const again = attestation({
      serialNumber: '5',
      expiresAt: hour(3),
      canReattest: false,
      selectors: selectorsOf('x509pop:cn:z'),
    })
    const result = await nodes().attest(again)
    expect(result).toEqual({ kind: 'stored', node: { ...node, ...again, agentVersion: '1.2.3' } })
    const bySelector = (text: string) =>
      nodes().count({ selectors: { match: 'any', values: selectorsOf(text) } })
    expect(await bySelector('x509pop:cn:a')).toBe(0)
    expect(await bySelector('x509pop:cn:z')).toBe(1)
    expect(await nodes().count({})).toBe(1)
  })

  test('a renewed SVID stands beside the one in use until it is promoted', async () => {
    await nodes().attest(attestation())
    const renewed = await nodes().renew(node, '77', hour(2))
    expect(renewed).toEqual({
      kind: 'stored',
      node: { ...node, newSerialNumber: '77', newExpiresAt: hour(2) },
    })
    expect(await nodes().promote(id, '77')).toEqual({
      kind: 'stored',
      node: { ...node, serialNumber: '77', expiresAt: hour(2) },
    })
  })

  test('only the serial of the last renewal can be promoted, and once', async () => {
    await nodes().attest(attestation())
    await nodes().renew(node, '77', hour(2))
    await nodes().renew({ ...node, newSerialNumber: '77' }, '78', hour(3))
    expect(await nodes().promote(id, '77')).toEqual({ kind: 'not-found' })
    expect((await nodes().promote(id, '78')).kind).toBe('stored')
    expect(await nodes().promote(id, '78')).toEqual({ kind: 'not-found' })
    expect(await nodes().promote(id, '')).toEqual({ kind: 'not-found' })
  })

  test.each([
    ['another SVID was renewed meanwhile', { newSerialNumber: '' }],
    ['the renewed one that was there was used meanwhile', { newSerialNumber: '76' }],
    ['the SVID that asked is not the one in use any more', { serialNumber: '0' }],
  ])('a renewal is not written when %s', async (_, seen) => {
    await nodes().attest(attestation())
    await nodes().renew(node, '77', hour(2))
    const before = await underTest().store.changes.latest()
    const late = { ...node, newSerialNumber: '77', ...seen }
    expect(await nodes().renew(late, '78', hour(3))).toEqual({ kind: 'changed' })
    expect((await nodes().find(id))?.newSerialNumber).toBe('77')
    expect(await underTest().store.changes.latest()).toBe(before)
  })

  test('of renewals that were asked for at once, one is written', async () => {
    await nodes().attest(attestation())
    const kinds = await Promise.all(
      ['77', '78', '79'].map(async (serial) => (await nodes().renew(node, serial, hour(2))).kind),
    )
    expect(kinds.sort()).toEqual(['changed', 'changed', 'stored'])
  })

  test('a ban empties both serials and withstands attesting, renewing and promoting', async () => {
    await nodes().attest(attestation())
    await nodes().renew(node, '77', hour(2))
    expect(await nodes().ban(id)).toBe(true)
    const banned = { ...node, serialNumber: '' }
    expect(await nodes().find(id)).toEqual(banned)
    expect(await nodes().attest(attestation({ serialNumber: '9' }))).toEqual({ kind: 'banned' })
    expect(await nodes().renew(node, '9', hour(2))).toEqual({ kind: 'banned' })
    expect(await nodes().promote(id, '77')).toEqual({ kind: 'banned' })
    expect(await nodes().promote(id, '')).toEqual({ kind: 'banned' })
    expect(await nodes().find(id)).toEqual(banned)
  })

  test('a ban called while an attestation is on its way stands', async () => {
    await nodes().attest(attestation())
    const [, late] = await Promise.all([
      nodes().ban(id),
      nodes().attest(attestation({ serialNumber: '9' })),
    ])
    expect(late).toEqual({ kind: 'banned' })
  })

  test('a removed node may attest again, banned or not', async () => {
    await nodes().attest(attestation())
    await nodes().ban(id)
    expect(await nodes().remove(id)).toEqual({ ...node, serialNumber: '' })
    expect(await nodes().find(id)).toBeUndefined()
    expect((await nodes().attest(attestation())).kind).toBe('stored')
  })

  test('what concerns a node that is not there is answered so, and writes nothing', async () => {
    const before = await underTest().store.changes.latest()
    expect(await nodes().ban(unknown)).toBe(false)
    expect(await nodes().setAgentVersion(unknown, '1')).toBe(false)
    expect(await nodes().remove(unknown)).toBeUndefined()
    expect(await nodes().renew({ ...node, id: unknown }, '1', hour(1))).toEqual({
      kind: 'not-found',
    })
    expect(await nodes().promote(unknown, '1')).toEqual({ kind: 'not-found' })
    expect(await nodes().find(unknown)).toBeUndefined()
    expect(await underTest().store.changes.latest()).toBe(before)
  })

  test('removing a join token agent removes its alias and nothing else', async () => {
    const { entries } = underTest().store
    const agent = idOf('/spire/agent/join_token/abc')
    await nodes().attest(attestation({ id: agent, attestationType: 'join_token' }))
    await entries.create([
      { ...joinTokenAlias(agent, idOf('/db-node')), id: 'alias' },
      newEntry({ id: 'workload', parentId: agent }),
      newEntry({
        id: 'narrower',
        parentId: agent,
        selectors: selectorsOf(`spiffe_id:${agent}`, 'unix:uid:1'),
      }),
      { ...joinTokenAlias(idOf('/spire/agent/join_token/def'), idOf('/x')), id: 'other' },
    ])
    await nodes().remove(agent)
    const left = await entries.list({}, { size: 10, token: '' })
    expect(left.items.map((entry) => entry.id)).toEqual(['workload', 'narrower', 'other'])
  })

  test('removing any other agent leaves entries that look like an alias', async () => {
    const { entries } = underTest().store
    await nodes().attest(attestation())
    await entries.create([{ ...joinTokenAlias(id, idOf('/db-node')), id: 'looks-like' }])
    await nodes().remove(id)
    expect(await entries.count({})).toBe(1)
  })

  test('pages give every node once, in the order of first attestation', async () => {
    const ids = [3, 1, 2].map((i) => idOf(`/spire/agent/n/${i}`))
    for (const one of ids) await nodes().attest(attestation({ id: one }))
    await nodes().attest(attestation({ id: idOf('/spire/agent/n/3'), serialNumber: '9' }))
    const first = await nodes().list({}, { size: 2, token: '' })
    const second = await nodes().list({}, { size: 2, token: first.nextToken })
    expect([...first.items, ...second.items].map((one) => one.id)).toEqual(ids)
    expect(second.nextToken).toBe('')
  })

  test('a token of another list is refused', async () => {
    await nodes().attest(attestation())
    await nodes().attest(attestation({ id: unknown }))
    const { nextToken } = await nodes().list({}, { size: 1, token: '' })
    const listing = underTest().store.entries.list({}, { size: 1, token: nextToken })
    await expect(listing).rejects.toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }))
  })

  test('expired nodes are pruned; banned, valid and unable ones stay unless asked for', async () => {
    const add = async (name: string, fields: Partial<Attestation>) =>
      nodes().attest(attestation({ id: idOf(`/spire/agent/n/${name}`), ...fields }))
    await add('expired', { expiresAt: hour(-1) })
    await add('older', { expiresAt: hour(-2) })
    await add('valid', { expiresAt: hour(1) })
    await add('tofu', { expiresAt: hour(-1), canReattest: false })
    await add('banned', { expiresAt: hour(-1) })
    await nodes().ban(idOf('/spire/agent/n/banned'))
    const prune = async (includeNonReattestable: boolean, limit: number) =>
      (await nodes().pruneExpired({ expiredBefore: START, includeNonReattestable, limit })).map(
        (one) => one.id.split('/').at(-1),
      )
    expect(await prune(false, 1)).toEqual(['older'])
    expect(await prune(false, 10)).toEqual(['expired'])
    expect(await prune(true, 10)).toEqual(['tofu'])
    expect(await nodes().count({})).toBe(2)
  })

  test('pruning a join token agent removes its alias too', async () => {
    const agent = idOf('/spire/agent/join_token/abc')
    const { entries } = underTest().store
    await nodes().attest(
      attestation({ id: agent, attestationType: 'join_token', expiresAt: hour(-1) }),
    )
    await entries.create([joinTokenAlias(agent, idOf('/db-node'))])
    await nodes().pruneExpired({ expiredBefore: START, includeNonReattestable: true, limit: 1 })
    expect(await entries.count({})).toBe(0)
  })
}
