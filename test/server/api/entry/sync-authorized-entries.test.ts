import { expect, test } from 'vitest'
import type { SyncAuthorizedEntriesRequest } from '../../../../proto/gen/spire/api/server/entry/v1/SyncAuthorizedEntriesRequest.ts'
import type { SyncAuthorizedEntriesResponseInput } from '../../../../proto/gen/spire/api/server/entry/v1/SyncAuthorizedEntriesResponse.ts'
import type { EntryMask } from '../../../../proto/gen/spire/api/types/EntryMask.ts'
import { syncAuthorizedEntries } from '../../../../server/api/entry/sync-authorized-entries.ts'
import { anEntry } from '../../an-entry.ts'

const entries = (count: number) =>
  Array.from({ length: count }, (_, n) =>
    anEntry({ id: `e${n}`, revisionNumber: n, createdAt: new Date(n * 1000) }),
  )

const mask = (fields: Partial<EntryMask>): EntryMask => ({
  spiffe_id: false,
  parent_id: false,
  selectors: false,
  x509_svid_ttl: false,
  jwt_svid_ttl: false,
  federates_with: false,
  admin: false,
  downstream: false,
  expires_at: false,
  dns_names: false,
  revision_number: false,
  store_svid: false,
  hint: false,
  created_at: false,
  additional_attributes: false,
  ...fields,
})

const PAGE = 3

async function sync(
  count: number,
  requests: readonly Partial<SyncAuthorizedEntriesRequest>[],
): Promise<SyncAuthorizedEntriesResponseInput[]> {
  const sent: SyncAuthorizedEntriesResponseInput[] = []
  await syncAuthorizedEntries(
    entries(count),
    (async function* () {
      for (const request of requests) yield { ids: [], output_mask: null, ...request }
    })(),
    async (message) => {
      sent.push(message)
    },
    PAGE,
  )
  return sent
}

const idsOf = (message: SyncAuthorizedEntriesResponseInput | undefined) =>
  message?.entries?.map(({ id }) => id)

test.for([0, 1, PAGE])(
  'sends %d entries, which fit one page, in one complete message',
  async (count) => {
    const sent = await sync(count, [{}])
    expect(sent).toHaveLength(1)
    expect(sent[0]?.more ?? false).toBe(false)
    expect(sent[0]?.entries).toHaveLength(count)
    expect(sent[0]?.entry_revisions ?? []).toEqual([])
  },
)

test('sends more than a page as revisions first, and says on all but the last that more follow', async () => {
  const sent = await sync(PAGE + 1, [{}])
  expect(sent).toEqual([
    {
      entry_revisions: [0, 1, 2].map((n) => ({ id: `e${n}`, revision_number: n, created_at: n })),
      more: true,
    },
    { entry_revisions: [{ id: 'e3', revision_number: 3, created_at: 3 }], more: false },
  ])
})

test('sends the entries asked for, leaving out those it does not know, and answers every request', async () => {
  const sent = await sync(5, [{}, { ids: ['e4', 'nope', 'e1'] }, { ids: ['nope'] }])
  expect(sent.slice(2).map(idsOf)).toEqual([['e4', 'e1'], []])
  expect(sent.slice(2).map(({ more }) => more)).toEqual([false, false])
})

test('pages what one request asks for when it is more than a page', async () => {
  const sent = await sync(7, [{}, { ids: ['e0', 'e1', 'e2', 'e3', 'e4', 'e5', 'e6'] }])
  const answers = sent.slice(3)
  expect(answers.map(idsOf)).toEqual([['e0', 'e1', 'e2'], ['e3', 'e4', 'e5'], ['e6']])
  expect(answers.map(({ more }) => more)).toEqual([true, true, false])
})

test('applies the mask of the first request to every answer, and ignores later masks', async () => {
  const first = mask({ revision_number: true, hint: true })
  const [whole] = await sync(1, [{ output_mask: first }])
  expect(whole?.entries).toEqual([{ id: 'e0', revision_number: 0, hint: '' }])
  const paged = await sync(4, [
    { output_mask: first },
    { ids: ['e2'], output_mask: mask({ spiffe_id: true }) },
  ])
  expect(paged.at(-1)?.entries).toEqual([{ id: 'e2', revision_number: 2, hint: '' }])
})

test('refuses IDs in the first request', async () => {
  await expect(sync(1, [{ ids: ['e0'] }])).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    message: 'specifying IDs on initial request is not supported',
  })
})

test('refuses a mask without the revision number, by which agents tell what changed', async () => {
  await expect(sync(1, [{ output_mask: mask({ spiffe_id: true }) }])).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    message: 'revision number cannot be masked',
  })
})

test('sends nothing to a caller that hangs up before it has asked', async () => {
  expect(await sync(1, [])).toEqual([])
})
