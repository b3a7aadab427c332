/** The store and the keys file of a server that is not running, opened for a backup or a restore. */
import { prepareDataDir } from '../../disk/data-dir.ts'
import { openLog } from '../../log/open-log.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { systemRandom } from '../../spiffe/random.ts'
import type { ServerConfig } from '../config.ts'
import { isLiving } from '../servers/presence.ts'
import { keptServerKey, ONLY_SERVER_KEY } from '../servers/server-key.ts'
import { openStore } from '../store/open-store.ts'
import type { Store } from '../store/store.ts'
import type { RestoreTarget } from './restore-backup.ts'

export interface Place extends RestoreTarget, AsyncDisposable {
  readonly store: Store
}

/** What people see where they look for who holds a turn; none is taken here. */
const HOLDER = 'backup'
/** What fails is told by the command that needed it. */
const QUIET = { level: 'FATAL', format: 'text', file: undefined } as const

/** @throws IdentityError UNAVAILABLE when a server has the store, or it cannot be opened */
export async function openPlace(config: ServerConfig, clock: Clock): Promise<Place> {
  const { dataStore, dataDir, keyManager } = config
  if (dataStore.kind === 'sqlite' && dataStore.path === ':memory:') {
    const why = 'the configuration keeps its store in memory'
    throw new IdentityError('PRECONDITION_FAILED', `${why}: there is nothing to back up or restore`)
  }
  prepareDataDir(dataDir)
  await using opening = new AsyncDisposableStack()
  const { log } = opening.use(openLog(QUIET))
  const isShared = dataStore.kind === 'postgres'
  const serverKey = isShared ? await keptServerKey(dataDir) : ONLY_SERVER_KEY
  const store = opening.use(
    await openStore(dataStore, { clock, random: systemRandom, log, holder: HOLDER }),
  )
  const opened = opening.move()
  return {
    ...{ store, dump: store.dump, serverKey, isShared },
    keysPath: keyManager.kind === 'disk' ? keyManager.keysPath : undefined,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/**
 * Fails closed: what a server holds in memory would outlive the restore, its authorities above all. The lock of a SQLite
 * file says so already.
 * @throws IdentityError PRECONDITION_FAILED when a server was seen a moment ago
 */
export async function mustBeAlone({ store, isShared }: Place): Promise<void> {
  if (!isShared) return
  const living = (await store.servers.list()).filter(isLiving).map(({ key }) => key)
  if (living.length === 0) return
  const why = `servers of this database are running: ${living.join(', ')}`
  throw new IdentityError('PRECONDITION_FAILED', `${why}; stop all of them before a restore`)
}
