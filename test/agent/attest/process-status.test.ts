import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  parseProcessIds,
  parseStartTicks,
  readProcessStatus,
} from '../../../agent/attest/process-status.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { anyText } from '../../fakes/any-text.ts'

const status = (change: Partial<Record<'Uid' | 'Gid' | 'Groups', string>> = {}) => {
  const lines = { Uid: '1\t2\t3\t4', Gid: '5\t6\t7\t8', Groups: '10 20 ', ...change }
  return [
    'Name:\tworkload',
    ...Object.entries(lines).map(([name, value]) => `${name}:\t${value}`),
    'VmPeak:\t   10000 kB',
  ].join('\n')
}

const refusal = expect.objectContaining({ code: 'ATTESTATION_FAILED' })

test('takes the effective IDs, not the real, saved or file system ones', () => {
  expect(parseProcessIds(status())).toEqual({ uid: 2, gid: 6, supplementaryGids: [10, 20] })
})

test('a process may have no supplementary groups', () => {
  expect(parseProcessIds(status({ Groups: ' ' })).supplementaryGids).toEqual([])
})

test.for([
  ['no user IDs', status().replace('Uid:', 'Vid:')],
  ['no groups', status().replace('Groups:', 'Troups:')],
  ['three user IDs', status({ Uid: '1\t2\t3' })],
  ['a name for an ID', status({ Gid: '5\troot\t7\t8' })],
  ['a negative ID', status({ Uid: '1\t-2\t3\t4' })],
  ['an ID beyond 32 bits', status({ Uid: '1\t4294967296\t3\t4' })],
  ['a group that is no number', status({ Groups: '10 x' })],
  ['nothing', ''],
] as const)('refuses a status with %s', ([, text]) => {
  expect(() => parseProcessIds(text)).toThrow(refusal)
})

test('a program name cannot forge IDs: the kernel escapes its newlines', () => {
  const text = status().replace('workload', 'x\\nUid:\\t0\\t0\\t0\\t0')
  expect(parseProcessIds(text).uid).toBe(2)
})

const stat = (name: string, ticks: string) =>
  `4711 (${name}) S ${Array(18).fill('0').join(' ')} ${ticks} 1000 20`

test.for([
  'sleep',
  'a b',
  ') S 0 0',
  '((',
  'x) R 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 99 1',
])('finds the start time of a program named %j', (name) => {
  expect(parseStartTicks(stat(name, '313007'))).toBe(313007n)
})

test.for(['', 'no parenthesis', '1 (x) S 1 2', stat('x', '-1'), stat('x', 'soon')])(
  'refuses the stat %j',
  (text) => {
    expect(() => parseStartTicks(text)).toThrow(refusal)
  },
)

test('no text makes the parsers fail with anything but a refusal', () => {
  fc.assert(
    fc.property(anyText(), fc.constantFrom('Uid:\t', 'Groups:\t', ''), (text, start) => {
      for (const parse of [parseProcessIds, parseStartTicks]) {
        try {
          parse(start + text)
        } catch (error) {
          expect(error).toBeInstanceOf(IdentityError)
        }
      }
    }),
  )
})

test('any effective IDs and groups are read back', () => {
  const id = fc.nat({ max: 2 ** 32 - 1 })
  fc.assert(
    fc.property(id, id, fc.array(id), (uid, gid, groups) => {
      const text = status({
        Uid: `0\t${uid}\t0\t0`,
        Gid: `0\t${gid}\t0\t0`,
        Groups: `${groups.join(' ')} `,
      })
      expect(parseProcessIds(text)).toEqual({ uid, gid, supplementaryGids: groups })
    }),
  )
})

test('reads a living process, which keeps its start time, and refuses one that has ended', async () => {
  const child = spawn('sleep', ['60'])
  await once(child, 'spawn')
  const pid = child.pid ?? 0
  const first = readProcessStatus(pid)
  expect(first).toMatchObject({ uid: process.geteuid?.(), gid: process.getegid?.() })
  expect(readProcessStatus(pid)).toEqual(first)
  child.kill()
  await once(child, 'exit')
  expect(() => readProcessStatus(pid)).toThrow(refusal)
})
