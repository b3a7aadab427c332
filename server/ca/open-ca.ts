/**
 * The server's authorities, from start to end: what the journal says is picked up, and when this
 * resolves there is something to sign with. Then `rotate` keeps it so.
 */
import type { Log } from '../../log/open-log.ts'
import type { Clock } from '../../spiffe/clock.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import type { KeyType } from '../../spiffe/key.ts'
import type { RandomBytes } from '../../spiffe/random.ts'
import type { CaSubject } from '../../spiffe/x509/ca-certificate.ts'
import { type Metrics, NO_METRICS } from '../../telemetry/metrics.ts'
import { meterAuthorities } from '../telemetry/meter-ca.ts'
import { followRoots } from '../upstream/follow-roots.ts'
import type { UpstreamAuthority } from '../upstream/upstream-authority.ts'
import { type Authorities, openAuthorities, type SlotRecord } from './authorities.ts'
import type { AuthorityKind } from './authority-kind.ts'
import { authorityLog, remembering } from './authority-log.ts'
import { type Journal, type JournalStore, openJournal } from './journal.ts'
import { type JwtSigningKey, jwtSigningKeyKind } from './jwt-signing-key.ts'
import { keepReplacedKeys } from './keep-replaced-keys.ts'
import type { KeyStore } from './key-store/key-store.ts'
import type { Publication } from './publication.ts'
import { type Rotating, rotate, takeDueSteps } from './rotate.ts'
import type { RotationMemory } from './rotation-memory.ts'
import type { Authority } from './slots.ts'
import { type X509Ca, x509CaKind } from './x509-ca.ts'

export interface CaOptions {
  readonly trustDomain: TrustDomain
  readonly caKeyType: KeyType
  readonly caSubject: CaSubject
  /** The life of authorities of both kinds. */
  readonly caTtlSeconds: number
  readonly jwtKeyType: KeyType
  /** There is then no JWT authority at all. */
  readonly disableJwtSvids: boolean
}

export interface CaDeps {
  readonly journalStore: JournalStore
  /** Names this server among those that share the store. */
  readonly serverKey: string
  readonly keyStore: KeyStore
  /** The server's own bundle. */
  readonly publication: Publication
  /** Left out: authorities sign themselves. */
  readonly upstream?: UpstreamAuthority | undefined
  readonly clock: Clock
  readonly randomBytes: RandomBytes
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>
  /**
   * Waited for between the making of the very first authorities and their first signature: whoever else serves the trust
   * domain learns of them. Left out: nobody does.
   */
  readonly beforeFirst?: (() => Promise<void>) | undefined
  /** Left out: nothing is remembered. */
  readonly memory?: RotationMemory
  /** Left out: nothing is measured. */
  readonly metrics?: Metrics
}

export interface Ca {
  readonly x509: Authorities<X509Ca>
  /** Undefined while JWT-SVIDs are disabled. */
  readonly jwt: Authorities<JwtSigningKey> | undefined
  /** Prepares and activates authorities when they are due, until the signal aborts. */
  rotate(signal: AbortSignal): Promise<void>
}

/** @throws IdentityError when the journal, the keys or the store cannot be used */
export async function openCa(options: CaOptions, deps: CaDeps): Promise<Ca> {
  const { trustDomain, caTtlSeconds: ttlSeconds, caKeyType, caSubject, jwtKeyType } = options
  const { journalStore: store, serverKey, clock, randomBytes, log, metrics = NO_METRICS } = deps
  const { upstream, publication } = deps
  const journal = await openJournal({ store, serverKey, trustDomain })
  const x509Made = x509CaKind({
    ...{ trustDomain, keyType: caKeyType, subject: caSubject, ttlSeconds },
    ...{ randomBytes, upstream },
  })
  const x509Opened = await openKind<X509Ca>('X509 CA', x509Made, journal.x509, deps)
  const x509 = meterAuthorities(x509Opened, 'x509', metrics)
  const jwtMade = jwtSigningKeyKind({ keyType: jwtKeyType, ttlSeconds, randomBytes, upstream })
  const jwtOpened = options.disableJwtSvids
    ? undefined
    : await openKind<JwtSigningKey>('JWT key', jwtMade, journal.jwt, deps)
  const jwt = jwtOpened && meterAuthorities(jwtOpened, 'jwt', metrics)
  const kinds = jwt === undefined ? [x509] : [x509, jwt]
  const isNew = kinds.some((kind) => kind.slots().active === undefined)
  if (isNew && deps.beforeFirst !== undefined) {
    for (const kind of kinds) await prepareFirst(kind)
    await deps.beforeFirst()
  }
  for (const kind of kinds) await takeDueSteps<Authority>(kind, clock)
  return {
    x509,
    jwt,
    async rotate(signal) {
      const failed = (msg: string) => (err: unknown) => log.error({ err }, msg)
      await Promise.all([
        keepJournal(journal, deps, signal),
        rotate({ authorities: x509, clock, onFailure: failed('X509 CA rotation failed') }, signal),
        jwt &&
          rotate({ authorities: jwt, clock, onFailure: failed('JWT key rotation failed') }, signal),
        upstream &&
          followRoots(
            {
              upstream,
              publication,
              x509,
              jwt,
              onFailure: failed('Upstream authority could not be followed'),
            },
            signal,
          ),
      ])
    },
  }
}

async function openKind<A extends Authority>(
  what: Parameters<typeof authorityLog>[0],
  kind: AuthorityKind<A>,
  record: SlotRecord<A>,
  deps: CaDeps,
): Promise<Authorities<A>> {
  await keepReplacedKeys({ kind, record }, deps)
  const events = remembering(authorityLog(what, deps.log), deps.memory)
  return await openAuthorities<A>({ ...deps, kind, record, events })
}

/** One that was prepared and did not sign before a crash is taken up. */
async function prepareFirst({ slots, prepare }: Rotating<Authority>): Promise<void> {
  const { active, prepared } = slots()
  if (active === undefined && prepared === undefined) await prepare()
}

/** Well below the two weeks after which a journal counts as that of a server that is gone. */
const KEEP_JOURNAL_MS = 24 * 60 * 60 * 1_000

/** Writes the journal again, however long its authorities last. */
async function keepJournal(
  { x509 }: Pick<Journal, 'x509'>,
  { clock, log }: Pick<CaDeps, 'clock' | 'log'>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(KEEP_JOURNAL_MS, signal)
    if (signal.aborted) return
    const failed = (err: unknown) => log.error({ err }, 'The CA journal could not be written again')
    await x509.save(x509.load()).catch(failed)
  }
}
