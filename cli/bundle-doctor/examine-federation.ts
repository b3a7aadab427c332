/** The bundles of other trust domains: whether they are there, believed, and renewed by themselves. */
import type { Bundle } from '../../proto/gen/spire/api/types/Bundle.ts'
import type { FederationRelationship } from '../../proto/gen/spire/api/types/FederationRelationship.ts'
import type { Standing } from '../../proto/gen/steeple/server/federation/v1/Standing.ts'
import { fromUnixSeconds } from '../../spiffe/clock.ts'
import { quote } from '../output/go-quote.ts'
import { type End, type Examined, type Finding, lastEnd, rootsOf } from './examination.ts'
import { left } from './examine-authorities.ts'

export interface Federations {
  readonly bundles: readonly Bundle[]
  readonly relationships: readonly FederationRelationship[]
  /** Undefined: the server does not tell. */
  readonly standings: readonly Standing[] | undefined
}

/** Of the life of the authority that ends last, what remains when a bundle should long have been fetched anew. */
const STALE_LEFT = 1 / 10

export function examineFederations(
  { bundles, relationships, standings = [] }: Federations,
  now: Date,
): Examined {
  const findings: Finding[] = []
  const ends: End[] = []
  const fetched = new Set([
    ...relationships.map(({ trust_domain }) => trust_domain),
    ...standings.map(({ trust_domain }) => trust_domain),
  ])
  const kept = new Set(bundles.map(({ trust_domain }) => trust_domain))
  for (const bundle of bundles) {
    const name = bundle.trust_domain
    const subject = `bundle of ${name}`
    const roots = rootsOf(bundle)
    const at = lastEnd(roots)
    const isFetched = fetched.has(name)
    if (roots.length > 0) {
      ends.push({ subject, at, breaks: `X.509-SVIDs of ${name} are not believed` })
    }
    const problem = problemOf(roots, at, now)
    if (problem !== undefined)
      findings.push({ ...problem, subject, remedy: remedyFor(name, isFetched) })
  }
  for (const name of fetched) {
    if (kept.has(name)) continue
    const problem = 'there is none yet: its SVIDs are not believed'
    const subject = `bundle of ${name}`
    findings.push({ severity: 'error', subject, problem, remedy: remedyFor(name, true) })
  }
  for (const standing of standings) findings.push(...failing(standing))
  return { findings, ends }
}

function problemOf(
  roots: ReturnType<typeof rootsOf>,
  at: Date,
  now: Date,
): Pick<Finding, 'severity' | 'problem'> | undefined {
  const last = roots.find(({ endsAt }) => endsAt === at)
  if (last === undefined) return { severity: 'warning', problem: 'it has no X.509 authority' }
  if (at <= now) return { severity: 'error', problem: 'all its X.509 authorities have ended' }
  if (left(last.startsAt, at, now) >= STALE_LEFT) return undefined
  return { severity: 'warning', problem: 'its last X.509 authority ends soon' }
}

function failing({ trust_domain, failure, failed_at, failures_in_a_row }: Standing): Finding[] {
  if (failed_at === 0) return []
  const since = fromUnixSeconds(failed_at).toISOString()
  const problem = `it could not be fetched, last at ${since}, ${failures_in_a_row} times in a row: ${quote(failure)}`
  const remedy = remedyFor(trust_domain, true)
  return [{ severity: 'warning', subject: `bundle of ${trust_domain}`, problem, remedy }]
}

function remedyFor(name: string, isFetched: boolean): string {
  return isFetched
    ? `see that its endpoint answers, then: steeple server federation refresh -id ${name}`
    : `it is not fetched by itself: steeple server federation create, or bundle set -id ${name}`
}
