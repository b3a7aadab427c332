/** What one crowd has seen so far, and the sum of several. Lists are cut; the numbers beside them are whole. */
import { createHash } from 'node:crypto'
import { authorityKeyIdsOf } from '../../../agent/node/agent-svid.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import { type IdentityError, reasonOf } from '../../../spiffe/error.ts'
import { parseCertificate } from '../../../spiffe/x509/certificate.ts'
import type { TlsIdentity } from '../../../workload/tls/tls-identity.ts'
import type { X509Context } from '../../../workload/x509-context.ts'
import type { CrowdReport, Failed } from './messages.ts'

/** Of each kind; more say nothing new. */
const MAX_TOLD = 20

export interface Tally {
  called(isAfterRotation: boolean): void
  echoed(): void
  failed(from: string, to: string, identity: TlsIdentity, error: unknown): void
  refused(error: IdentityError): void
  svid(now: X509Context, before: X509Context | undefined): void
  broken(id: string, error: IdentityError): void
  report(): CrowdReport
}

export function createTally(): Tally {
  const count = { calls: 0, callsAfterRotation: 0, echoes: 0, failures: 0, svids: 0, expired: 0 }
  const least = {
    shortestRestMs: Number.MAX_SAFE_INTEGER,
    closestRenewalMs: Number.MAX_SAFE_INTEGER,
  }
  const failed: Failed[] = []
  const refusals: string[] = []
  const broken: string[] = []
  const authorities = new Set<string>()
  const signers = new Set<string>()
  let mostAuthorities = 0
  const tell = <T>(list: T[], one: T) => {
    if (list.length < MAX_TOLD) list.push(one)
  }
  return {
    called(isAfterRotation) {
      count.calls += 1
      if (isAfterRotation) count.callsAfterRotation += 1
    },
    echoed() {
      count.echoes += 1
    },
    failed(from, to, identity, error) {
      count.failures += 1
      const at = systemClock.now().toISOString()
      tell(failed, { at, from, to, why: reasonOf(error), expiresAt: endOf(identity) })
    },
    refused: (error) => tell(refusals, error.message),
    svid(now, before) {
      const nowMs = systemClock.now().getTime()
      count.svids += now.svids.length
      for (const { expiresAt, chain } of now.svids) {
        const restMs = expiresAt.getTime() - nowMs
        if (restMs <= 0) count.expired += 1
        least.shortestRestMs = Math.min(least.shortestRestMs, restMs)
        for (const signer of authorityKeyIdsOf(chain.map(parseCertificate))) signers.add(signer)
      }
      const previous = before?.defaultSvid
      if (previous !== undefined && !isSame(previous.chain[0], now.defaultSvid.chain[0])) {
        const leftMs = previous.expiresAt.getTime() - nowMs
        least.closestRenewalMs = Math.min(least.closestRenewalMs, leftMs)
      }
      for (const { x509Authorities } of now.bundles.values()) {
        mostAuthorities = Math.max(mostAuthorities, x509Authorities.length)
        for (const { der } of x509Authorities) authorities.add(digestOf(der))
      }
    },
    broken: (id, error) => tell(broken, `${id}: ${error.message}`),
    report: () => ({
      ...{ ...count, ...least, failed, refusals, broken, mostAuthorities },
      authorities: [...authorities],
      signers: [...signers],
    }),
  }
}

export function sumOf(reports: readonly CrowdReport[]): CrowdReport {
  const sum = (of: (one: CrowdReport) => number) =>
    reports.reduce((total, one) => total + of(one), 0)
  const least = (of: (one: CrowdReport) => number) => Math.min(...reports.map(of))
  const list = <T>(of: (one: CrowdReport) => readonly T[]) => reports.flatMap(of)
  return {
    calls: sum((one) => one.calls),
    callsAfterRotation: sum((one) => one.callsAfterRotation),
    echoes: sum((one) => one.echoes),
    failures: sum((one) => one.failures),
    failed: list((one) => one.failed).slice(0, MAX_TOLD),
    refusals: list((one) => one.refusals).slice(0, MAX_TOLD),
    svids: sum((one) => one.svids),
    expired: sum((one) => one.expired),
    shortestRestMs: least((one) => one.shortestRestMs),
    closestRenewalMs: least((one) => one.closestRenewalMs),
    broken: list((one) => one.broken).slice(0, MAX_TOLD),
    authorities: [...new Set(list((one) => one.authorities))],
    signers: [...new Set(list((one) => one.signers))],
    mostAuthorities: Math.max(...reports.map((one) => one.mostAuthorities)),
  }
}

function endOf(identity: TlsIdentity): string {
  try {
    return identity.current().defaultSvid.expiresAt.toISOString()
  } catch (error) {
    return reasonOf(error)
  }
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && Buffer.compare(a, b) === 0
}

const digestOf = (der: Uint8Array): string =>
  createHash('sha256').update(der).digest('hex').slice(0, 16)
