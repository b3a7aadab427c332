import { expect, test } from 'vitest'
import { type AttestDeps, attestWith } from '../../../agent/attest/attest.ts'
import type { WorkloadAttestor } from '../../../agent/attest/workload-attestor.ts'
import type { UnixCaller } from '../../../proto/peer-credentials.ts'
import { parseSelector } from '../../../spiffe/selector.ts'
import { memoryLog } from '../../fakes/memory-log.ts'

const { signal } = new AbortController()
const caller: UnixCaller = { kind: 'unix', pid: 4711, uid: 1, gid: 2, isAlive: () => true }
const same = { uid: 1, gid: 2, supplementaryGids: [] }

const says = (type: string, ...selectors: string[]): WorkloadAttestor => ({
  type,
  attest: async () => selectors.map(parseSelector),
})
const fails = (type: string): WorkloadAttestor => ({
  type,
  attest: async () => {
    throw new Error(`${type} is away`)
  },
})

function setUp(attestors: readonly WorkloadAttestor[], idsOf?: AttestDeps['idsOf']) {
  const { log, lines } = memoryLog()
  return { attest: attestWith({ attestors, log, idsOf: idsOf ?? (() => same) }), lines }
}

test('joins the selectors of all attestors', async () => {
  const { attest } = setUp([says('a', 'a:1', 'a:2'), says('b', 'b:1', 'a:1')])
  expect([...(await attest(caller, signal))]).toEqual(['a:1', 'a:2', 'b:1'])
})

test('one failed attestor costs its selectors only, and is named in the log', async () => {
  const { attest, lines } = setUp([fails('a'), says('b', 'b:1')])
  expect([...(await attest(caller, signal))]).toEqual(['b:1'])
  expect(lines).toContainEqual(expect.objectContaining({ level: 'warn', attestor: 'a', pid: 4711 }))
})

test('an attestor that throws before its first await counts as failed', async () => {
  const rude: WorkloadAttestor = {
    type: 'a',
    attest: () => {
      throw new Error('at once')
    },
  }
  const { attest } = setUp([rude, says('b', 'b:1')])
  expect([...(await attest(caller, signal))]).toEqual(['b:1'])
})

test('an attestor that knows nothing has succeeded', async () => {
  const { attest } = setUp([fails('a'), says('b')])
  expect([...(await attest(caller, signal))]).toEqual([])
})

test('refuses when every attestor fails, keeping the reasons to itself', async () => {
  const { attest } = setUp([fails('a'), fails('b')])
  await expect(attest(caller, signal)).rejects.toMatchObject({
    code: 'ATTESTATION_FAILED',
    message: 'workload attestation failed',
    cause: { message: 'a is away; b is away' },
  })
})

test('refuses when there are no attestors at all', async () => {
  const { attest } = setUp([])
  await expect(attest(caller, signal)).rejects.toMatchObject({ code: 'ATTESTATION_FAILED' })
})

test('refuses a process that ended while it was looked at', async () => {
  const { attest } = setUp([says('a', 'a:1')])
  await expect(attest({ ...caller, isAlive: () => false }, signal)).rejects.toMatchObject({
    code: 'CALLER_UNIDENTIFIED',
  })
})

test('whether the process lives is asked when all else has been read: until then nobody else had its number', async () => {
  const asked: string[] = []
  const looks: WorkloadAttestor = {
    type: 'a',
    attest: async () => {
      asked.push('attestor')
      return []
    },
  }
  const { attest } = setUp([looks], () => {
    asked.push('ids')
    return same
  })
  const isAlive = () => {
    asked.push('lives')
    return true
  }
  await attest({ ...caller, isAlive }, signal)
  expect(asked).toEqual(['ids', 'attestor', 'ids', 'lives'])
})

test('an attestor is told what was read of the process before it', async () => {
  const seen: unknown[] = []
  const looks: WorkloadAttestor = {
    type: 'a',
    attest: async ({ pid, ids }) => {
      seen.push({ pid, ids })
      return []
    },
  }
  const { attest } = setUp([looks])
  await attest(caller, signal)
  expect(seen).toEqual([{ pid: 4711, ids: same }])
})

test('refuses a process whose files are gone', async () => {
  const { attest } = setUp([says('a', 'a:1')], () => {
    throw new Error('ENOENT')
  })
  await expect(attest(caller, signal)).rejects.toMatchObject({
    code: 'ATTESTATION_FAILED',
    message: 'workload attestation failed',
  })
})

test.for([
  ['it runs as another user', { ...same, uid: 0 }, /uid 1 gid 2 and now runs as uid 0 gid 2/],
  ['it runs with another group', { ...same, gid: 0 }, /now runs as uid 1 gid 0/],
] as const)('refuses when afterwards %s', async ([, after, message]) => {
  const states = [same, after]
  const { attest } = setUp([says('a', 'a:1')], () => states.shift() ?? after)
  await expect(attest(caller, signal)).rejects.toMatchObject({
    code: 'CALLER_UNIDENTIFIED',
    message: expect.stringMatching(message),
  })
})

test('refuses a process that ran as another user only while it was looked at', async () => {
  const states = [{ ...same, uid: 0 }, same]
  const { attest } = setUp([says('a', 'a:1')], () => states.shift() ?? same)
  await expect(attest(caller, signal)).rejects.toMatchObject({ code: 'CALLER_UNIDENTIFIED' })
})

test('selectors are in the log at debug level only', async () => {
  const { attest, lines } = setUp([says('a', 'a:1')])
  await attest(caller, signal)
  expect(lines).toEqual([expect.objectContaining({ level: 'debug', selectors: ['a:1'] })])
})
