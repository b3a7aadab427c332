/**
 * The signing ledger and the memory of rotations, over restarts: what earlier runs have kept is known from the start, and
 * what is kept is in one file of the data directory.
 */
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../../log/open-log.ts'
import type { Clock } from '../../spiffe/clock.ts'
import type { JournalStore } from '../ca/journal.ts'
import { createRotationMemory, type RotationMemory } from '../ca/rotation-memory.ts'
import { ledgerKeyOf } from '../store/ledger-key.ts'
import { openLedgerFile, type RunStore } from './ledger-file.ts'
import { createSigningLedger, type SigningLedger } from './signing-ledger.ts'

export interface LedgerDeps {
  readonly dataDir: string
  /** Keeps which run was the last one, apart from the file, so that an older copy of it is told. */
  readonly store: JournalStore
  /** Names this server among those that share the store. */
  readonly serverKey: string
  readonly clock: Clock
  readonly log: Pick<Log, 'warn' | 'error'>
}

export interface OpenLedger extends AsyncDisposable {
  readonly ledger: SigningLedger
  readonly rotations: RotationMemory
  /** Keeps the store's word on the last run from being cleared away as that of a server that is gone. */
  stay(signal: AbortSignal): Promise<void>
}

const FILE = 'signing-ledger.jsonl'
/** Well below the two weeks after which a server counts as gone. */
const STAY_MS = 24 * 60 * 60 * 1_000
const BOOT_ID = '/proc/sys/kernel/random/boot_id'

/** @throws IdentityError UNAVAILABLE when a file that lacks signatures cannot be removed */
export async function openLedger(deps: LedgerDeps): Promise<OpenLedger> {
  const { dataDir, store, serverKey, clock, log } = deps
  const runKey = ledgerKeyOf(serverKey)
  const run = randomUUID()
  const lastRun: RunStore = {
    load: async () => {
      const saved = await store.load(runKey)
      return saved === undefined ? undefined : Buffer.from(saved).toString()
    },
    save: (value) => store.save(runKey, Buffer.from(value)),
  }
  const file = await openLedgerFile({
    path: join(dataDir, FILE),
    run,
    // Where the kernel does not say it, each run counts as after a start of the machine.
    boot: await readFile(BOOT_ID, 'utf8').catch(() => run),
    lastRun,
    onLoss: (err) =>
      log.warn(
        { err },
        'Signatures of earlier runs are not known: guided rotation waits until they have expired',
      ),
  })
  const known = file.records
  const rotations = createRotationMemory({
    known: known.filter((one) => one.kind === 'made' || one.kind === 'activated'),
    // Lost in a crash, it is unknown: nobody needs to wait for it.
    onNoted: (noted) =>
      void file
        .append(noted)
        .catch((err) => log.error({ err }, 'A step of a rotation could not be kept')),
  })
  const ledger = createSigningLedger(clock, { known, keep: file.append })
  file.compactFrom(function* () {
    yield* rotations.remembered()
    yield* ledger.records()
  })
  const stay = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      await clock.sleep(STAY_MS, signal)
      if (signal.aborted) return
      const failed = 'The run of the signing ledger could not be written to the store'
      await lastRun.save(run).catch((err) => log.error({ err }, failed))
    }
  }
  return { ledger, rotations, stay, [Symbol.asyncDispose]: () => file[Symbol.asyncDispose]() }
}
