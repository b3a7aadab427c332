/** The server's own authorities: whether one signs, whether the next will be there in time, and what is left over. */
import type { AuthorityState } from '../../proto/gen/spire/api/server/localauthority/v1/AuthorityState.ts'
import type { Bundle } from '../../proto/gen/spire/api/types/Bundle.ts'
import { fromUnixSeconds } from '../../spiffe/clock.ts'
import { type End, type Examined, type Finding, rootsOf } from './examination.ts'

export interface OwnAuthorities {
  readonly active: AuthorityState | null
  readonly prepared: AuthorityState | null
  readonly old: AuthorityState | null
}

/** Of an upstream root's life, what remains when it is time to replace it. */
const UPSTREAM_LEFT = 1 / 10
/** Of an authority's life, what remains when its successor should long have taken over. */
const OVERDUE_LEFT = 1 / 12

const NOTHING_SIGNED = 'no SVID is signed, and agents and workloads run out of theirs'

export function examineX509(
  bundle: Bundle,
  authorities: OwnAuthorities | undefined,
  now: Date,
): Examined {
  const roots = rootsOf(bundle)
  const active = authorities?.active ?? null
  const upstreamId = active?.upstream_authority_subject_key_id ?? ''
  const ends: End[] = []
  const findings: Finding[] = []
  for (const { id, endsAt: at, startsAt, tainted } of roots) {
    const isUpstream = id === upstreamId
    const subject = `X.509 authority ${id}${isUpstream ? ' (upstream)' : roleOf(id, authorities)}`
    const breaks = isUpstream ? 'no certificate chain of this server is believed' : ''
    ends.push({ subject, at, breaks: id === active?.authority_id ? NOTHING_SIGNED : breaks })
    if (tainted) findings.push(unfinished(subject, 'x509', id, isUpstream))
    const isLate = left(startsAt, at, now) < UPSTREAM_LEFT
    if (isUpstream && isLate) {
      const severity = at > now ? 'warning' : 'error'
      const problem = at > now ? 'the upstream root ends soon' : 'the upstream root has ended'
      findings.push({ severity, subject, problem, remedy: 'replace the root of the upstream CA' })
    }
  }
  const known = roots.find(({ id }) => id === active?.authority_id)
  if (authorities !== undefined) {
    findings.push(...examineActive('X.509', authorities, known?.startsAt, now))
  }
  // Below an upstream authority, what signs is in no bundle.
  if (active !== null && known === undefined) {
    const at = fromUnixSeconds(active.expires_at)
    const subject = `X.509 CA ${active.authority_id} (active)`
    ends.push({ subject, at, breaks: NOTHING_SIGNED })
  }
  return { findings, ends }
}

export function examineJwt(
  bundle: Bundle,
  authorities: OwnAuthorities | undefined,
  now: Date,
): Examined {
  const findings: Finding[] =
    authorities === undefined ? [] : [...examineActive('JWT', authorities, undefined, now)]
  const ends = bundle.jwt_authorities.flatMap(({ key_id, expires_at, tainted }): End[] => {
    const subject = `JWT authority ${key_id}${roleOf(key_id, authorities)}`
    if (tainted) findings.push(unfinished(subject, 'jwt', key_id, false))
    if (expires_at === 0) return []
    const isActive = key_id === authorities?.active?.authority_id
    const breaks = isActive ? 'no JWT-SVID is signed or believed' : ''
    return [{ subject, at: fromUnixSeconds(expires_at), breaks }]
  })
  return { findings, ends }
}

/** @param startedAt undefined when it is not known: then only the end counts */
function examineActive(
  name: 'X.509' | 'JWT',
  { active, prepared }: OwnAuthorities,
  startedAt: Date | undefined,
  now: Date,
): readonly Finding[] {
  const kind = name === 'X.509' ? 'x509' : 'jwt'
  const look = 'read the log of the server for why the rotation does not go on'
  if (active === null) {
    const problem = `no ${name} authority signs`
    return [{ severity: 'error', subject: `${name} authorities`, problem, remedy: look }]
  }
  const subject = `${name} authority ${active.authority_id} (active)`
  const endsAt = fromUnixSeconds(active.expires_at)
  if (endsAt <= now) return [{ severity: 'error', subject, problem: 'it has ended', remedy: look }]
  if (startedAt === undefined || left(startedAt, endsAt, now) >= OVERDUE_LEFT) return []
  const problem = `it is near its end and ${prepared === null ? 'no next one is prepared' : 'the next one is not active yet'}`
  const remedy = `${look}, or: steeple server localauthority ${kind} ${prepared === null ? 'prepare' : `activate -authorityID ${prepared.authority_id}`}`
  return [{ severity: 'warning', subject, problem, remedy }]
}

function unfinished(
  subject: string,
  kind: 'x509' | 'jwt',
  id: string,
  isUpstream: boolean,
): Finding {
  const remedy = isUpstream
    ? `revoke it where it is: steeple server upstreamauthority revoke -subjectKeyID ${id}`
    : `steeple authority rotate ${kind} -yes -authorityID ${id}`
  const problem = 'it is tainted and not revoked: a forced rotation was not finished'
  return { severity: 'warning', subject, problem, remedy }
}

function roleOf(id: string, authorities: OwnAuthorities | undefined): string {
  if (id === authorities?.active?.authority_id) return ' (active)'
  if (id === authorities?.prepared?.authority_id) return ' (prepared)'
  return id === authorities?.old?.authority_id ? ' (old)' : ''
}

/** The part of a life that is left; 0 when it is over. */
export function left(start: Date, end: Date, now: Date): number {
  const life = end.getTime() - start.getTime()
  return life <= 0 ? 0 : Math.max(0, (end.getTime() - now.getTime()) / life)
}
