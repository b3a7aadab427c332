/**
 * What the kubelet wants to know of a workload and cannot ask itself, for the port takes mutual TLS alone: it asks the proxy at
 * a port of its own, and the proxy asks the workload. Nothing but these questions can be asked there, and no answer's content is told.
 */

export type ProbeQuestion =
  | {
      readonly kind: 'http'
      readonly port: number
      /** With its query. */
      readonly path: string
      readonly scheme: 'http' | 'https'
      readonly headers: Readonly<Record<string, string>>
    }
  | { readonly kind: 'tcp'; readonly port: number }
  /** `grpc.health.v1.Health/Check`. */
  | { readonly kind: 'grpc'; readonly port: number; readonly service: string }

export interface Probe {
  /** It is asked for at `/probe/` and this. */
  readonly name: string
  readonly question: ProbeQuestion
}

export type ProbeAnswer =
  /** The workload's own, or what stands for it. */
  | { readonly kind: 'answer'; readonly status: number }
  | { readonly kind: 'none'; readonly why: string }

/** Asks at this address of the machine. Never rejects. */
export type AskProbe = (
  question: ProbeQuestion,
  ip: string,
  signal: AbortSignal,
) => Promise<ProbeAnswer>
