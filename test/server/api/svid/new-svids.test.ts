import { Metadata } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import type { Call } from '../../../../proto/serve.ts'
import { batchNewX509Svid, type NewSvidDeps } from '../../../../server/api/svid/new-svids.ts'
import { joinTokenAlias } from '../../../../server/entries/entry.ts'
import type { Caller } from '../../../../server/listen/caller.ts'
import { parseSpiffeId } from '../../../../spiffe/id.ts'
import { generateKey } from '../../../../spiffe/key.ts'
import { createCsr } from '../../../../spiffe/x509/csr.ts'

const agentId = parseSpiffeId('spiffe://example.org/spire/agent/join_token/abc')
const csr = createCsr({ key: await generateKey('ec-p256') })
const expiresAt = new Date(2_000_000_000_000)
const issued = { chain: [], issuedAt: expiresAt, expiresAt, authorityId: 'a' }

const entry = (id: string, dnsNames: readonly string[] = []) => ({
  ...joinTokenAlias(agentId, parseSpiffeId(`spiffe://example.org/${id}`)),
  ...{ id, dnsNames, revisionNumber: 0, createdAt: expiresAt },
})

const callBy = (signal: AbortSignal): Call<Caller> => ({
  caller: {
    ...{ kind: 'peer', ip: '127.0.0.1', port: 1, verifyAgain: async () => {} },
    svid: { id: agentId, serialNumber: '1', expiresAt, authorityId: undefined },
  },
  ...{ method: '', metadata: new Metadata(), signal },
})

function deps(
  index: NewSvidDeps['index'],
  issue: NewSvidDeps['issuer']['issueWorkloadX509Svid'] = async () => issued,
): NewSvidDeps {
  const unlimited = async () => {}
  return {
    index,
    issuer: {
      issueWorkloadX509Svid: issue,
      issueJwtSvid: async () => expect.unreachable('no token is asked for'),
    },
    limits: { signX509: unlimited, signJwt: unlimited, signWit: unlimited },
    disableJwtSvids: false,
  }
}

const params = (...ids: readonly string[]) => ids.map((entry_id) => ({ entry_id, csr }))
const idsUpTo = (count: number) => Array.from({ length: count }, (_, at) => `e${at}`)
const open = callBy(new AbortController().signal)

test('an entry that goes while its request is being checked gives no SVID', async () => {
  let looks = 0
  const index = { entryFor: (_: string, id: string) => (++looks > 1 ? undefined : entry(id)) }
  const { results } = await batchNewX509Svid(
    { params: params('mine') },
    open,
    deps(index, async () => expect.unreachable('what is not authorized is not signed')),
  )
  expect(results).toEqual([{ status: { code: 5, message: 'entry not found or not authorized' } }])
})

test('an entry that changes while its request is being checked is signed as it is then', async () => {
  let looks = 0
  const index = {
    entryFor: (_: string, id: string) => entry(id, ++looks > 1 ? ['new.example'] : ['old.example']),
  }
  const names: (readonly string[])[] = []
  await batchNewX509Svid(
    { params: params('mine') },
    open,
    deps(index, async ({ dnsNames }) => {
      names.push(dnsNames)
      return issued
    }),
  )
  expect(names).toEqual([['new.example']])
})

test('requests are signed in their order, however long each takes to be checked', async () => {
  const signed: (string | undefined)[] = []
  const ids = idsUpTo(130)
  const { results = [] } = await batchNewX509Svid(
    { params: params(...ids) },
    open,
    deps({ entryFor: (_, id) => entry(id) }, async ({ heldBy }) => {
      signed.push(heldBy?.entryId)
      return issued
    }),
  )
  expect(signed).toEqual(ids)
  expect(results.map(({ svid }) => svid?.id?.path)).toEqual(ids.map((id) => `/${id}`))
})

test('a caller that is gone is signed no more for', async () => {
  const gone = new AbortController()
  let signed = 0
  await batchNewX509Svid(
    { params: params(...idsUpTo(500)) },
    callBy(gone.signal),
    deps({ entryFor: (_, id) => entry(id) }, async () => {
      signed++
      gone.abort()
      return issued
    }),
  )
  expect(signed).toBeLessThan(100)
})

test('what is no refusal fails the call as a whole, and nobody else hears of it', async () => {
  const bug = new Error('a bug')
  const unheard: unknown[] = []
  const hear = (reason: unknown) => unheard.push(reason)
  process.on('unhandledRejection', hear)
  try {
    await expect(
      batchNewX509Svid(
        { params: params(...idsUpTo(60)) },
        open,
        deps({ entryFor: (_, id) => entry(id) }, async () => {
          throw bug
        }),
      ),
    ).rejects.toBe(bug)
    await new Promise((resolve) => setImmediate(resolve))
  } finally {
    process.off('unhandledRejection', hear)
  }
  expect(unheard).toEqual([])
})
