/** What the storm and its crowds tell each other: each crowd is a process, and its workloads know nothing of the others but these. */

/** One workload: nobody else is in its group, and by that the agent tells it from the others. */
export interface Member {
  readonly id: string
  readonly gid: number
}

export interface CrowdPlan {
  readonly kind: 'plan'
  readonly workloadSocket: string
  readonly members: readonly Member[]
}

/** Where a workload takes connections. */
export interface Place {
  readonly id: string
  readonly port: number
}

export interface StormBegins {
  readonly kind: 'begin'
  readonly places: readonly Place[]
  /** From one call of a workload to its next, beside those that it makes with each new SVID, in ms. */
  readonly callEveryMs: number
}

export type ToCrowd = CrowdPlan | StormBegins | { readonly kind: 'end' }

/** A call, or the connection of a pair, that came to nothing. */
export interface Failed {
  readonly at: string
  readonly from: string
  readonly to: string
  readonly why: string
  /** When the caller's SVID ended. */
  readonly expiresAt: string
}

export interface CrowdReport {
  /** Mutual handshakes after which the other end said who it had verified. */
  readonly calls: number
  /** Of these, calls made because a new SVID had just come. */
  readonly callsAfterRotation: number
  /** Bytes that went round on connections that stay open. */
  readonly echoes: number
  readonly failures: number
  /** The first of them. */
  readonly failed: readonly Failed[]
  /** Callers that were refused by the other end, as that end tells it; their calls are among the failures. */
  readonly refusals: readonly string[]
  /** X509-SVIDs received. */
  readonly svids: number
  /** Of these, expired when they came. */
  readonly expired: number
  /** The shortest rest of a life that any of them had when it came, in ms. */
  readonly shortestRestMs: number
  /** The least that was left of any SVID when the next one came, in ms. */
  readonly closestRenewalMs: number
  /** Streams that broke and were opened anew, with the reason. */
  readonly broken: readonly string[]
  /** Different authorities that bundles had, as digests. */
  readonly authorities: readonly string[]
  /** Of these, those that signed an SVID, by their key identifiers. */
  readonly signers: readonly string[]
  /** In one bundle. */
  readonly mostAuthorities: number
}

export type FromCrowd =
  | { readonly kind: 'ready'; readonly places: readonly Place[] }
  | { readonly kind: 'report'; readonly report: CrowdReport }
