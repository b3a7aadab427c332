/**
 * A directory of policies in YAML: every `.yaml`, `.yml` and `.json` file in it, read again soon after anything in it changes,
 * also when it is a link that is swapped as a whole, as Kubernetes does with mounted configuration. What cannot be read
 * changes nothing: the last good state stays in force and the mistake is told, until the directory is good again.
 */
import { type FSWatcher, watch } from 'node:fs'
import { opendir, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { readText } from '../../config/read-text.ts'
import type { Log } from '../../log/open-log.ts'
import type { MeshSettings } from '../../policy/snapshot.ts'
import { type Bell, createBell } from '../../spiffe/bell.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { PolicySource, SourceStatus } from './policy-source.ts'
import { type PolicyText, type ReadPolicies, readPolicies } from './read-policies.ts'
import { isSame, settledTexts } from './settled-texts.ts'

export interface PolicyDirectoryOptions {
  readonly path: string
  readonly mesh: MeshSettings
  readonly clock: Clock
  readonly log: Log
}

export interface PolicyDirectory extends PolicySource {
  /** Watches until `signal` aborts. */
  follow(signal: AbortSignal): Promise<void>
}

const MAX_FILES = 5_000
/** Writers need a moment for several files; what they change meanwhile is read once. */
const SETTLE_MS = 50
/** Where the system loses an event, or cannot watch at all, the directory is looked at anyway. */
const POLL_MS = 10_000

/** @throws IdentityError CONFIG_INVALID when there is no good state to begin with */
export async function openPolicyDirectory(
  options: PolicyDirectoryOptions,
): Promise<PolicyDirectory> {
  const { path, mesh, clock, log } = options
  let texts = await readTexts(path)
  let good: ReadPolicies = readPolicies(texts, mesh)
  let loadedAt = clock.now()
  let problem: string | undefined
  const listeners = new Set<() => void>()
  const tell = (read: ReadPolicies, before: number) => {
    for (const warning of read.warnings) log.warn(warning)
    log.info({ policy_dir: path, objects: read.objects }, 'Policies loaded')
    if (read.objects === 0 && before > 0) {
      const what = 'plaintext and every caller pass, but for what listeners say themselves'
      log.warn({ policy_dir: path }, `There are no policies: ${what}`)
    }
  }
  const fail = (error: unknown) => {
    const why = reasonOf(error)
    if (why !== problem) {
      log.error(
        { policy_dir: path, reason: why },
        'Policies cannot be loaded; the last good ones stay in force',
      )
    }
    problem = why
  }
  const reload = async (signal: AbortSignal) => {
    try {
      const next = await settledTexts(texts, () => readTexts(path), clock, signal)
      if (problem === undefined && isSame(texts, next)) return
      const read = readPolicies(next, mesh)
      const isChanged = !isSame(texts, next)
      problem = undefined
      if (!isChanged) {
        log.info({ policy_dir: path }, 'Policies are good again, and as they were')
        return
      }
      tell(read, good.objects)
      texts = next
      good = read
      loadedAt = clock.now()
      for (const listener of listeners) listener()
    } catch (error) {
      if (!(error instanceof IdentityError)) throw error
      fail(error)
    }
  }
  tell(good, 0)
  return {
    current: () => good.snapshot,
    status: (): SourceStatus => ({
      source: `directory ${path}`,
      ...{ loadedAt, objects: good.objects, problem, warnings: good.warnings },
    }),
    onChange(listener) {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
    async follow(signal) {
      const bell = createBell()
      while (!signal.aborted) {
        bell.reset()
        using _watching = await watchAll(path, bell)
        await reload(signal)
        await clock.sleep(POLL_MS, AbortSignal.any([signal, bell.signal()]))
        if (bell.signal().aborted) await clock.sleep(SETTLE_MS, signal)
      }
    },
  }
}

/** Watches the directory itself, and its parent, where a link to it would be swapped. What cannot be watched is polled. */
async function watchAll(path: string, bell: Bell): Promise<Disposable> {
  const watchers: FSWatcher[] = []
  const real = await realpath(path).catch(() => path)
  // Of the parent nothing matters but the directory: logs may be written beside it.
  const parent = dirname(path)
  for (const one of new Set([real, path, parent])) {
    try {
      const watcher = watch(one, { persistent: false }, (_event, name) => {
        if (one !== parent || name === null || name === basename(path)) bell.ring()
      })
      watcher.on('error', () => bell.ring())
      watchers.push(watcher)
    } catch {
      // It is gone, or the system has no watches left: the poll finds out.
    }
  }
  return {
    [Symbol.dispose]() {
      for (const watcher of watchers) watcher.close()
    },
  }
}

/** In the order of their names, whatever the file system's. @throws IdentityError CONFIG_INVALID */
export async function readTexts(path: string): Promise<readonly PolicyText[]> {
  const names: string[] = []
  try {
    for await (const { name } of await opendir(path)) {
      // What begins with a dot belongs to editors, or to those who swap directories.
      if (/\.(?:ya?ml|json)$/i.test(name) && !name.startsWith('.')) names.push(name)
    }
  } catch (error) {
    const why = `cannot read the directory of policies ${JSON.stringify(path)}: ${reasonOf(error)}`
    throw new IdentityError('CONFIG_INVALID', `${why}; choose another policy_dir`, { cause: error })
  }
  if (names.length > MAX_FILES) {
    const why = `the directory of policies holds ${names.length} files, expected at most ${MAX_FILES}`
    throw new IdentityError('CONFIG_INVALID', why)
  }
  return names.sort().map((name) => ({ name, text: readText(join(path, name)) }))
}
