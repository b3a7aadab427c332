/**
 * The cache on disk, so that the agent serves at once after its own restart, also while the server is away. It holds
 * private keys: every file is 0600, and there is none at all unless the agent's own keys are on disk too. It is only
 * a cache: what is damaged or belongs to another agent is dropped.
 */
import { createHash } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readJson } from '../../disk/read-json.ts'
import { replaceFile } from '../../disk/replace-file.ts'
import type { Log } from '../../log/open-log.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { SpiffeId } from '../../spiffe/id.ts'
import { failureFields } from '../failure-fields.ts'
import { KNOWLEDGE, readKnowledge, readSvid, SVID, writeKnowledge, writeSvid } from './disk-form.ts'
import type { Knowledge } from './knowledge.ts'
import type { News } from './news.ts'
import type { WorkloadCache } from './workload-cache.ts'
import type { X509Svid, X509SvidContext } from './x509-svid.ts'

export interface DiskCache {
  /** What the last run left for this agent. */
  load(agentId: SpiffeId, context: X509SvidContext): Promise<Remembered | undefined>
  /** Writes every change of the cache until the signal aborts, and once more then. */
  follow(agentId: SpiffeId, cache: WorkloadCache, signal: AbortSignal): Promise<void>
  /** Deletes all of it. */
  clear(): Promise<void>
}

export interface DiskCacheDeps {
  readonly clock: Clock
  readonly log: Log
}

export interface Remembered {
  readonly known: Knowledge
  readonly svids: readonly X509Svid[]
}

/** All entries are one file: while they change without end, it is not written all the time. */
const KNOWLEDGE_PAUSE_MS = 200

export function openDiskCache(dataDir: string, { clock, log }: DiskCacheDeps): DiskCache {
  const directory = join(dataDir, 'cache')
  const paths: Paths = {
    knowledge: join(directory, 'entries.json'),
    svids: join(directory, 'svids'),
  }
  const written: Written = { known: undefined, svids: new Map() }
  const clear = () => rm(directory, { recursive: true, force: true })
  return {
    clear,
    async load(agentId, context) {
      try {
        const remembered = await load(paths, agentId, context, log)
        if (remembered === undefined) await clear()
        for (const svid of remembered?.svids ?? []) written.svids.set(svid.entryId, svid)
        return remembered
      } catch (error) {
        if (!(error instanceof IdentityError)) throw error
        log.warn(failureFields(error), 'The cache of the last run cannot be used and is dropped')
        await clear()
        return undefined
      }
    },
    async follow(agentId, cache, signal) {
      await mkdir(paths.svids, { recursive: true, mode: 0o700 })
      const careful = (write: () => Promise<void>) => async () => {
        try {
          await write()
        } catch (err) {
          log.error({ err }, 'The cache cannot be written: a restart would begin without it')
        }
      }
      const { news } = cache
      const knowledge = careful(() => writeKnowledgeOf(paths, agentId, cache, written))
      const svids = careful(() => writeSvidsOf(paths, cache, written))
      await Promise.all([
        follow(news, knowledge, () => clock.sleep(KNOWLEDGE_PAUSE_MS, signal), signal),
        follow(news, svids, async () => {}, signal),
      ])
    },
  }
}

interface Paths {
  readonly knowledge: string
  readonly svids: string
}

const ADVICE = 'it is made anew'
/** A node of many thousands of entries has a few megabytes of them. */
const MAX_KNOWLEDGE_BYTES = 256 << 20
const MAX_SVID_BYTES = 1 << 20

async function load(
  paths: Paths,
  agentId: SpiffeId,
  context: X509SvidContext,
  log: Log,
): Promise<Remembered | undefined> {
  const file = await readJson(paths.knowledge, KNOWLEDGE, {
    advice: ADVICE,
    maxBytes: MAX_KNOWLEDGE_BYTES,
  })
  if (file === undefined || file.agent_id !== agentId) return undefined
  const known = readKnowledge(file)
  const svids: X509Svid[] = []
  for (const name of await readdir(paths.svids).catch(() => [])) {
    const path = join(paths.svids, name)
    const svid = await loadSvid(path, context, log)
    const isWanted =
      svid !== undefined && known.entries.has(svid.entryId) && context.now < svid.expiresAt
    if (isWanted) svids.push(svid)
    else await rm(path, { force: true })
  }
  return { known, svids }
}

async function loadSvid(
  path: string,
  context: X509SvidContext,
  log: Log,
): Promise<X509Svid | undefined> {
  try {
    const file = await readJson(path, SVID, { advice: ADVICE, maxBytes: MAX_SVID_BYTES })
    return file === undefined ? undefined : readSvid(file, context)
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    log.warn(failureFields(error), 'An SVID of the last run cannot be used and is dropped')
    return undefined
  }
}

/** One write at a time; whatever comes meanwhile is written together. */
async function follow(
  news: News,
  write: () => Promise<void>,
  pause: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let isLast = false
  while (!isLast) {
    isLast = signal.aborted
    const version = news.version()
    await write()
    await pause()
    await news.after(version, signal)
  }
}

/** What is on disk now. */
interface Written {
  known: Knowledge | undefined
  readonly svids: Map<string, X509Svid>
}

async function writeKnowledgeOf(
  paths: Paths,
  agentId: SpiffeId,
  cache: WorkloadCache,
  written: Written,
): Promise<void> {
  const known = cache.knowledge()
  if (known === written.known) return
  const text = JSON.stringify(writeKnowledge(agentId, known))
  await replaceFile(paths.knowledge, text, { durable: false })
  written.known = known
}

/** An SVID whose entry is not on disk yet is dropped at the next start, and an entry without its SVID gets one. */
async function writeSvidsOf(paths: Paths, cache: WorkloadCache, written: Written): Promise<void> {
  const svids = new Map(cache.svids())
  for (const entryId of written.svids.keys()) {
    if (svids.has(entryId)) continue
    await rm(svidPath(paths, entryId), { force: true })
    written.svids.delete(entryId)
  }
  for (const [entryId, svid] of svids) {
    if (written.svids.get(entryId) === svid) continue
    const path = svidPath(paths, entryId)
    await replaceFile(path, JSON.stringify(writeSvid(svid)), { durable: false })
    written.svids.set(entryId, svid)
  }
}

/** An entry ID may hold characters that a file name must not. */
function svidPath({ svids }: Paths, entryId: string): string {
  return join(svids, `${createHash('sha256').update(entryId).digest('hex')}.json`)
}
