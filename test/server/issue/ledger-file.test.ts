/** What a server knows of the signatures of the one before it, whatever ended that one. */
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type LedgerFile, openLedgerFile } from '../../../server/issue/ledger-file.ts'
import { formatRecord, type LedgerRecord } from '../../../server/issue/ledger-record.ts'
import { createSigningLedger, type SigningLedger } from '../../../server/issue/signing-ledger.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'
import { FakeClock } from '../../fakes/clock.ts'

const HOUR = 3_600_000
const start = new FakeClock().now().getTime()
const holder = parseSpiffeId('spiffe://example.org/spire/agent/a')
const svid = (serialNumber: string): LedgerRecord => ({
  ...{ kind: 'agent-svid', serialNumber, authorityId: 'a' },
  expiresAt: new Date(start + HOUR),
})

let dir: string
let path: string
let lastRun: string | undefined
let losses: unknown[]
let runs = 0
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'steeple-ledger-'))
  path = join(dir, 'signing-ledger.jsonl')
  lastRun = undefined
  losses = []
})
afterEach(async () => {
  await bury(killed.splice(0))
  rmSync(dir, { recursive: true, force: true })
})

/** A server that is killed closes nothing; once its file has been replaced, nobody reads what is done to it. */
const killed: LedgerFile[] = []

async function open(boot = 'boot', more: { maxBytes?: number; minCompactedBytes?: number } = {}) {
  const file = await openLedgerFile({
    ...{ path, boot, run: `run ${++runs}`, onLoss: (error) => void losses.push(error) },
    lastRun: {
      load: async () => lastRun,
      save: async (run) => {
        lastRun = run
      },
    },
    ...more,
  })
  killed.push(file)
  return file
}

async function bury(files: readonly LedgerFile[]): Promise<void> {
  for (const file of files) await file[Symbol.asyncDispose]()
}

const reopened = async (boot?: string) => (await open(boot)).records

test('what was kept is known to the next run, after a kill and after an orderly end', async () => {
  const first = await open()
  await first.append(svid('1')) // killed: it is never closed
  const second = await open()
  expect(second.records).toEqual([svid('1')])
  await second.append(svid('2'))
  await second[Symbol.asyncDispose]()
  expect(await reopened()).toEqual([svid('1'), svid('2')])
  expect(losses).toEqual([])
})

test('a line that was being written when the process was killed is nobody’s', async () => {
  const first = await open()
  await first.append(svid('1'))
  appendFileSync(path, formatRecord(svid('2')).slice(0, 20))
  expect(await reopened()).toEqual([svid('1')])
})

test('after a start of the machine only what was closed in order is believed', async () => {
  await (await open('boot 1')).append(svid('1'))
  expect(await reopened('boot 2')).toEqual([])
  expect(losses).toMatchObject([{ message: expect.stringContaining('started anew') }])
  const closed = await open('boot 2')
  await closed.append(svid('2'))
  await closed[Symbol.asyncDispose]()
  expect(await reopened('boot 3')).toEqual([svid('2')])
})

test('a start that ended before the store heard of it loses nothing', async () => {
  await (await open()).append(svid('1'))
  const before = lastRun
  await open()
  lastRun = before
  expect(await reopened()).toEqual([svid('1')])
})

test.for<readonly [string, () => Promise<void>]>([
  [
    'an older copy that was put back',
    async () => {
      const copy = join(dir, 'copy')
      await (await open()).append(svid('1'))
      copyFileSync(path, copy)
      await open()
      await open()
      copyFileSync(copy, path)
    },
  ],
  [
    'a file beside a store that knows no run',
    async () => {
      await (await open()).append(svid('1'))
      lastRun = undefined
    },
  ],
  [
    'a damaged line in the middle',
    async () => {
      const file = await open()
      await file.append(svid('1'))
      appendFileSync(path, '["agent-svid","2"]\n')
      await file.append(svid('3'))
    },
  ],
  [
    'a header of another version',
    async () => {
      await (await open()).append(svid('1'))
      writeFileSync(path, readFileSync(path, 'utf8').replace('ledger 1', 'ledger 9'))
    },
  ],
  [
    'an empty file',
    async () => {
      await open()
      writeFileSync(path, '')
    },
  ],
])('%s is not believed, and said so', async ([, prepare]) => {
  await prepare()
  losses.length = 0
  expect(await reopened()).toEqual([])
  expect(losses).toHaveLength(1)
})

test('where nothing can be kept, the file is removed before anybody is handed what it lacks', async () => {
  const file = await open('boot', { maxBytes: 200 })
  for (const serial of ['1', '2', '3', '4']) await file.append(svid(serial))
  expect(losses).toMatchObject([{ message: expect.stringContaining('longer than 200 bytes') }])
  expect(() => readFileSync(path)).toThrow(/ENOENT/)
  expect(await reopened()).toEqual([])
})

test('what can neither be kept nor removed is not given', async () => {
  const file = await open('boot', { maxBytes: 200 })
  rmSync(path)
  mkdirSync(path) // cannot be removed as a file
  const appended = Promise.all(['1', '2', '3', '4'].map((serial) => file.append(svid(serial))))
  await expect(appended).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await expect(file.append(svid('5'))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  rmdirSync(path)
  await file.append(svid('6'))
})

test('nothing is signed after the file was closed', async () => {
  const file = await open()
  await file[Symbol.asyncDispose]()
  await expect(file.append(svid('1'))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

test('the file stays as long as what is valid, however much is signed', async () => {
  const clock = new FakeClock()
  const file = await open('boot', { minCompactedBytes: 2_000 })
  const ledger = createSigningLedger(clock, { keep: file.append })
  file.compactFrom(ledger.records)
  const signed = { kind: 'workload-x509-svid', holder, authorityId: 'a' } as const
  for (let count = 0; count < 500; count++) {
    const expiresAt = new Date(clock.now().getTime() + HOUR)
    await ledger.record({ ...signed, expiresAt }, { kind: 'replaces', slot: `${count % 3}` })
  }
  expect(readFileSync(path).length).toBeLessThan(3_000)
  const known = (await open()).records
  expect(createSigningLedger(clock, { known }).usesOf('a')).toEqual(ledger.usesOf('a'))
})

const anyDate = fc.integer({ min: 0, max: 4 }).map((hours) => new Date(start + hours * HOUR))
const anyAuthority = fc.constantFrom('a', 'b')
const anyStep = fc.oneof(
  fc.record({
    slot: fc.constantFrom('x', 'y', 'z'),
    authorityId: anyAuthority,
    expiresAt: anyDate,
  }),
  fc.record({ adds: fc.constant(true), authorityId: anyAuthority, expiresAt: anyDate }),
  fc.record({ serial: fc.constantFrom('1', '2'), authorityId: anyAuthority, expiresAt: anyDate }),
  fc.record({ hours: fc.integer({ min: 1, max: 2 }) }),
  fc.constant('kill' as const),
)
type Step = typeof anyStep extends fc.Arbitrary<infer S> ? S : never

const known = (ledger: SigningLedger) => ({
  uses: ['a', 'b'].map((id) =>
    ledger.usesOf(id).toSorted((one, other) => one.kind.localeCompare(other.kind)),
  ),
  agents: ['1', '2'].map(ledger.authorityOfAgentSvid),
  forgotten: ['a', 'b'].map(ledger.forgottenUntil),
})

async function take(step: Exclude<Step, 'kill'>, ledger: SigningLedger, clock: FakeClock) {
  if ('hours' in step) {
    clock.advance(step.hours * HOUR)
    return
  }
  const { authorityId, expiresAt } = step
  if ('serial' in step) return await ledger.recordAgentSvid(step.serial, authorityId, expiresAt)
  const kind = 'slot' in step ? 'workload-x509-svid' : 'minted-x509-svid'
  const how = 'slot' in step ? ({ kind: 'replaces', slot: step.slot } as const) : ADDS
  await ledger.record({ kind, holder, authorityId, expiresAt }, how)
}
const ADDS = { kind: 'adds' } as const

test('a server that is killed again and again knows what one that never stops would know', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { maxLength: 30 }), async (steps) => {
      lastRun = undefined
      rmSync(path, { force: true })
      const clock = new FakeClock()
      const steady = createSigningLedger(clock)
      const begin = async () => {
        const file = await open('boot', { minCompactedBytes: 300 })
        await bury(killed.splice(0, killed.length - 1))
        const ledger = createSigningLedger(clock, { known: file.records, keep: file.append })
        file.compactFrom(ledger.records)
        return ledger
      }
      let ledger = await begin()
      for (const step of steps) {
        if (step === 'kill') {
          ledger = await begin()
          continue
        }
        await take(step, steady, clock)
        if (!('hours' in step)) await take(step, ledger, clock)
      }
      ledger = await begin()
      const [revived, never] = [known(ledger), known(steady)]
      // Of agents' SVIDs that have expired a ledger may or may not know: nobody asks for them.
      expect({ ...revived, agents: [] }).toEqual({ ...never, agents: [] })
      expect(losses).toEqual([])
    }),
    { numRuns: 60 },
  )
})
