/** Calls to a server that may die at any moment: each ends as acknowledged, refused or unanswered, and is never tried again. */
import {
  type Client,
  type ClientOptions,
  credentials,
  type ServiceError,
  status,
} from '@grpc/grpc-js'
import type { Bundle } from '../../proto/gen/spire/api/types/Bundle.ts'
import { agentApi, bundleApi, entryApi, localAuthorityApi } from '../../proto/load.ts'
import { isServiceError } from '../../proto/status.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { toPem } from '../../spiffe/x509/pem.ts'

/** Found again quickly; and nothing is asked twice behind the record's back. */
const OPTIONS: ClientOptions = {
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 100,
  'grpc.enable_retries': 0,
  'grpc.use_local_subchannel_pool': 1,
}
/** No call takes longer on a machine that has ten times as much to do as it can. */
export const CALL_MS = 180_000

export const deadline = () => ({ deadline: systemClock.now().getTime() + CALL_MS })

function closing<C extends Record<string, Client>>(clients: C): C & Disposable {
  return {
    ...clients,
    [Symbol.dispose]() {
      for (const client of Object.values(clients)) client.close()
    },
  }
}

export function connectAdmin(socket: string) {
  const target = `unix:${socket}`
  const plain = credentials.createInsecure()
  return closing({
    agent: new (agentApi())(target, plain, OPTIONS),
    bundle: new (bundleApi())(target, plain, OPTIONS),
    entry: new (entryApi())(target, plain, OPTIONS),
    authority: new (localAuthorityApi())(target, plain, OPTIONS),
  })
}

export type Admin = ReturnType<typeof connectAdmin>

export interface HeldSvid {
  /** PEM, leaf first. */
  readonly chain: string
  /** PEM. */
  readonly key: string
}

/** The server's port, as a node without an identity or with this one. */
export function connectNode(port: number, bundle: Bundle, held?: HeldSvid) {
  const roots = bundle.x509_authorities.map(({ asn1 }) => toPem('CERTIFICATE', asn1)).join('')
  const channel = credentials.createSsl(
    Buffer.from(roots),
    held === undefined ? null : Buffer.from(held.key),
    held === undefined ? null : Buffer.from(held.chain),
    // The chain is judged by the bundle; a SPIFFE server has no host name.
    { checkServerIdentity: () => undefined },
  )
  const options = { ...OPTIONS, 'grpc.ssl_target_name_override': 'localhost' }
  const target = `127.0.0.1:${port}`
  return closing({
    agent: new (agentApi())(target, channel, options),
    entry: new (entryApi())(target, channel, options),
  })
}

export type Outcome<Reply> =
  | { readonly kind: 'acknowledged'; readonly reply: Reply }
  | { readonly kind: 'refused'; readonly why: string }
  /** Or answered by somebody who could not say whether it is done. */
  | { readonly kind: 'unanswered'; readonly why: string }

/** What a server that died leaves its callers with. */
const NO_ANSWER: ReadonlySet<number> = new Set([
  status.UNAVAILABLE,
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
])

export async function outcomeOf<Reply>(calling: Promise<Reply>): Promise<Outcome<Reply>> {
  try {
    return { kind: 'acknowledged', reply: await calling }
  } catch (error) {
    if (!isServiceError(error)) throw error
    const why = `${status[error.code]}: ${error.details}`
    return NO_ANSWER.has(error.code) ? { kind: 'unanswered', why } : { kind: 'refused', why }
  }
}

type Done<Reply> = (error: ServiceError | null, reply?: Reply) => void

/** One unary call. @throws ServiceError */
export function call<Reply>(begin: (done: Done<Reply>) => unknown): Promise<Reply> {
  return new Promise((resolve, reject) => {
    begin((error, reply) => {
      if (error !== null || reply === undefined) reject(error ?? new Error('no reply'))
      else resolve(reply)
    })
  })
}

/** A unary call as an outcome. */
export const ask = <Reply>(begin: (done: Done<Reply>) => unknown): Promise<Outcome<Reply>> =>
  outcomeOf(call<Reply>(begin))
