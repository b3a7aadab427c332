/** How long a stream may live, by a clock of our own: the server around it is plain objects. */
import { Metadata } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import type { WatchRequest } from '../../../../proto/gen/steeple/server/sync/v1/WatchRequest.ts'
import type { WatchResponseInput } from '../../../../proto/gen/steeple/server/sync/v1/WatchResponse.ts'
import { watch } from '../../../../server/api/sync/watch.ts'
import { createWatchers } from '../../../../server/api/sync/watchers.ts'
import type { Entry } from '../../../../server/entries/entry.ts'
import type { PeerCaller } from '../../../../server/listen/caller.ts'
import type { AttestedNode } from '../../../../server/nodes/node.ts'
import { emptyBundle } from '../../../../spiffe/bundle.ts'
import { IdentityError } from '../../../../spiffe/error.ts'
import { parseTrustDomain } from '../../../../spiffe/id.ts'
import { FakeClock } from '../../../fakes/clock.ts'
import { anEntry, id } from '../../an-entry.ts'

const agentId = id('/spire/agent/join_token/a')
const MINUTE_MS = 60_000

function start(request: Partial<WatchRequest> = {}, latest = 0) {
  const clock = new FakeClock()
  const expiresAt = new Date(clock.now().getTime() + 30 * MINUTE_MS)
  const node: AttestedNode = {
    id: agentId,
    attestationType: 'join_token',
    serialNumber: '1',
    expiresAt,
    newSerialNumber: '',
    newExpiresAt: undefined,
    canReattest: false,
    selectors: [],
    agentVersion: '',
  }
  const state = {
    entries: [anEntry({ id: 'a' })] as readonly Entry[],
    bundle: emptyBundle(parseTrustDomain('example.org')),
    isTrusted: true,
    verified: 0,
  }
  const gone = new AbortController()
  const stopping = new AbortController()
  const watchers = createWatchers(
    { watch: () => () => {} },
    { latest: async () => latest, isShared: true, clock },
  )
  const sent: WatchResponseInput[] = []
  const caller: PeerCaller = {
    kind: 'peer',
    ip: '192.0.2.1',
    port: 1,
    svid: { id: agentId, serialNumber: '1', expiresAt },
    async verifyAgain() {
      state.verified++
      if (!state.isTrusted) throw new IdentityError('CERTIFICATE_UNTRUSTED', 'revoked')
    },
  }
  const ended = watch(
    { known_sequence: 0, heartbeat_ms: 0, ...request },
    { caller, method: '/Watch', metadata: new Metadata(), signal: gone.signal },
    async (message) => {
      sent.push(message)
    },
    {
      index: { authorizedFor: () => state.entries },
      localBundle: { current: () => state.bundle },
      federatedView: { find: () => undefined },
      handed: { note: () => {} },
      nodes: { find: async () => node },
      watchers,
      clock,
      stopping: stopping.signal,
    },
  )
  /** Lets the pause after news pass: the stream then waits for more. */
  const idle = async () => {
    await clock.sleepers(1)
    clock.advance(25)
    await clock.sleepers(1)
  }
  return { clock, state, gone, stopping, watchers, sent, ended, idle }
}

test('a stream ends when the SVID it was opened with expires', async () => {
  const { clock, ended, idle } = start()
  await idle()
  clock.advance(30 * MINUTE_MS)
  await ended
})

test('a stream fails when the authority of its SVID has left the bundle', async () => {
  const { state, watchers, ended, idle } = start()
  await idle()
  state.isTrusted = false
  state.bundle = { ...state.bundle, sequenceNumber: 1 }
  watchers.wakeAll()
  await expect(ended).rejects.toMatchObject({ code: 'CERTIFICATE_UNTRUSTED' })
})

test('the chain is verified again only when the bundle has changed', async () => {
  const { state, watchers, gone, ended, idle } = start()
  await idle()
  state.entries = [...state.entries, anEntry({ id: 'b' })]
  watchers.wake([agentId])
  await idle()
  expect(state.verified).toBe(0)
  state.bundle = { ...state.bundle, sequenceNumber: 1 }
  watchers.wakeAll()
  await idle()
  expect(state.verified).toBe(1)
  gone.abort()
  await ended
})

test('many changes during the pause after news make one message', async () => {
  const { clock, state, watchers, sent, gone, ended } = start()
  await clock.sleepers(1)
  for (let n = 0; n < 100; n++) {
    state.entries = [...state.entries, anEntry({ id: `n${n}` })]
    watchers.wake([agentId])
  }
  clock.advance(25)
  await expect.poll(() => sent.length).toBe(2)
  expect(sent[1]?.entries).toHaveLength(100)
  gone.abort()
  clock.advance(25)
  await ended
})

test('waking an agent for nothing sends nothing', async () => {
  const { clock, watchers, sent, gone, ended, idle } = start()
  await idle()
  watchers.wake([agentId])
  await clock.sleepers(1)
  gone.abort()
  await ended
  expect(sent).toHaveLength(1)
})

test('a stream ends when the server stops', async () => {
  const { watchers, stopping, ended, idle } = start()
  await idle()
  stopping.abort()
  watchers.wakeAll()
  await ended
})

test('an agent that wants to hear that the server is there hears it, and no sooner than once a second', async () => {
  const { clock, sent, gone, ended, watchers, idle } = start({ heartbeat_ms: 10 })
  await idle()
  expect(sent).toMatchObject([{ snapshot: true, heartbeat_ms: 1_000 }])
  clock.advance(1_000 - 25)
  await expect.poll(() => sent.length).toBe(2)
  watchers.place.advance(7)
  await clock.sleepers(1)
  clock.advance(1_000)
  await expect.poll(() => sent.length).toBe(3)
  expect(sent.slice(1)).toEqual([
    { sequence: 0, move: false },
    { sequence: 7, move: false },
  ])
  gone.abort()
  await ended
})

test('an agent that did not ask for it hears of news alone, until it is asked to move, once', async () => {
  const { clock, sent, gone, ended, idle } = start()
  await idle()
  clock.advance(2 * MINUTE_MS - 50)
  await clock.sleepers(1)
  expect(sent).toHaveLength(1)
  clock.advance(50_000)
  await expect.poll(() => sent.length).toBe(2)
  expect(sent[1]).toMatchObject({ move: true })
  await clock.sleepers(1)
  clock.advance(10 * MINUTE_MS)
  await clock.sleepers(1)
  expect(sent).toHaveLength(2)
  gone.abort()
  await ended
})

test('a server that has not seen the log for seconds asks its agents to go elsewhere, once', async () => {
  const { clock, sent, gone, ended, idle } = start({ heartbeat_ms: 3_600_000 })
  await idle()
  clock.advance(7_000)
  await clock.sleepers(1)
  expect(sent).toHaveLength(1) // it looks again first: perhaps it was this process that stood still
  clock.advance(1_000)
  await expect.poll(() => sent.length).toBe(2)
  expect(sent[1]).toMatchObject({ move: true })
  await clock.sleepers(1)
  clock.advance(MINUTE_MS)
  await clock.sleepers(1)
  expect(sent).toHaveLength(2)
  gone.abort()
  await ended
})

test('a server that sees the log again after a pause keeps its agents', async () => {
  const { clock, sent, gone, ended, watchers, idle } = start({ heartbeat_ms: 3_600_000 })
  await idle()
  clock.advance(60_000)
  await clock.sleepers(1)
  watchers.place.looked()
  clock.advance(1_000)
  await clock.sleepers(1)
  expect(sent).toHaveLength(1)
  gone.abort()
  await ended
})

test('a state says for which changes it stands, in its last message alone', async () => {
  const { clock, state, sent, gone, ended, watchers, idle } = start()
  await idle()
  expect(sent[0]).toMatchObject({ sequence: 0 })
  watchers.place.advance(9)
  state.entries = Array.from({ length: 501 }, (_, n) => anEntry({ id: `n${n}` }))
  watchers.wake([agentId])
  await expect.poll(() => sent.length).toBe(4)
  expect(sent.slice(1).map(({ sequence }) => sequence)).toEqual([undefined, undefined, 9])
  gone.abort()
  clock.advance(25)
  await ended
})

test('an agent that knows more than this server hears nothing before it has caught up', async () => {
  const { clock, sent, gone, ended, watchers } = start({ known_sequence: 5 }, 5)
  await clock.sleepers(1)
  expect(sent).toEqual([])
  watchers.place.advance(5)
  await expect.poll(() => sent.length).toBe(1)
  expect(sent[0]).toMatchObject({ snapshot: true, sequence: 5 })
  gone.abort()
  await ended
})

test('a server that stays behind what an agent knows refuses the stream', async () => {
  const { clock, sent, ended } = start({ known_sequence: 5 }, 5)
  await clock.sleepers(1)
  clock.advance(5_000)
  await expect(ended).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect(sent).toEqual([])
})

test('an agent that waits for a server to catch up does not keep it from stopping', async () => {
  const { clock, sent, ended, stopping } = start({ known_sequence: 5 }, 5)
  await clock.sleepers(1)
  stopping.abort()
  await ended
  expect([sent, clock.sleeping]).toEqual([[], 0])
})
