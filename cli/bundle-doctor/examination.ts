/**
 * What the doctor of bundles looks at, and what it says: everything that ends, with its end, and what is wrong or soon
 * will be. A certificate that cannot be read counts as ended: nobody will believe it either.
 */
import type { Bundle } from '../../proto/gen/spire/api/types/Bundle.ts'
import { fromUnixSeconds } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { parseCertificate } from '../../spiffe/x509/certificate.ts'
import { authorityIdOf } from '../../spiffe/x509/key-id.ts'

export type Severity = 'error' | 'warning'

export interface Finding {
  readonly severity: Severity
  readonly subject: string
  readonly problem: string
  /** What to do, as a sentence or a command line. */
  readonly remedy: string
}

/** One line of the calendar. */
export interface End {
  readonly subject: string
  readonly at: Date
  /** What does not work from then on, unless it is renewed before; empty when nothing breaks. */
  readonly breaks: string
}

export interface Examined {
  readonly findings: readonly Finding[]
  readonly ends: readonly End[]
}

export interface X509Root {
  readonly id: string
  readonly startsAt: Date
  readonly endsAt: Date
  readonly tainted: boolean
}

export function rootsOf({ x509_authorities }: Bundle): readonly X509Root[] {
  return x509_authorities.map(({ asn1, tainted }) => {
    try {
      const { notBefore, notAfter } = parseCertificate(asn1)
      return { id: authorityIdOf(asn1), startsAt: notBefore, endsAt: notAfter, tainted }
    } catch (error) {
      if (!(error instanceof IdentityError)) throw error
      return { id: 'unreadable', startsAt: EPOCH, endsAt: EPOCH, tainted }
    }
  })
}

const EPOCH = fromUnixSeconds(0)

/** When the last of them ends: until then something of the bundle is believed. */
export function lastEnd(roots: readonly X509Root[]): Date {
  return roots.map(({ endsAt }) => endsAt).toSorted((a, b) => b.getTime() - a.getTime())[0] ?? EPOCH
}

export function joined(all: readonly Examined[]): Examined {
  return {
    findings: all.flatMap(({ findings }) => findings),
    ends: all.flatMap(({ ends }) => ends),
  }
}

/** What breaks first: the earliest end to come of something that is needed. */
export function firstToBreak(ends: readonly End[], now: Date): End | undefined {
  return ends
    .filter(({ at, breaks }) => breaks !== '' && at > now)
    .toSorted((a, b) => a.at.getTime() - b.at.getTime())[0]
}

/** 0: nothing is wrong, 2: something soon will be, 1: something is. */
export function exitCodeOf(findings: readonly Finding[]): number {
  if (findings.some(({ severity }) => severity === 'error')) return 1
  return findings.length > 0 ? 2 : 0
}
