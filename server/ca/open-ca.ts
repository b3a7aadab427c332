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
import { type Authorities, openAuthorities } from './authorities.ts'
import { authorityLog, remembering } from './authority-log.ts'
import { type JournalStore, openJournal } from './journal.ts'
import { type JwtSigningKey, jwtSigningKeyKind } from './jwt-signing-key.ts'
import type { KeyStore } from './key-store/key-store.ts'
import type { Publication } from './publication.ts'
import { rotate, takeDueSteps } from './rotate.ts'
import type { RotationMemory } from './rotation-memory.ts'
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
  const x509Opened = await openAuthorities<X509Ca>({
    ...deps,
    kind: x509CaKind({
      trustDomain,
      keyType: caKeyType,
      subject: caSubject,
      ttlSeconds,
      randomBytes,
      upstream,
    }),
    record: journal.x509,
    events: remembering(authorityLog('X509 CA', log), deps.memory),
  })
  const x509 = meterAuthorities(x509Opened, 'x509', metrics)
  await takeDueSteps(x509, clock)
  const jwtOpened = options.disableJwtSvids
    ? undefined
    : await openAuthorities<JwtSigningKey>({
        ...deps,
        kind: jwtSigningKeyKind({ keyType: jwtKeyType, ttlSeconds, randomBytes, upstream }),
        record: journal.jwt,
        events: remembering(authorityLog('JWT key', log), deps.memory),
      })
  const jwt = jwtOpened && meterAuthorities(jwtOpened, 'jwt', metrics)
  if (jwt !== undefined) await takeDueSteps(jwt, clock)
  return {
    x509,
    jwt,
    async rotate(signal) {
      const failed = (msg: string) => (err: unknown) => log.error({ err }, msg)
      await Promise.all([
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
