/**
 * One certificate from an ACME server: an order, the proof that we answer for its name, and the chain. Nothing is
 * proved but the name that was ordered, whatever else the server asks about.
 *
 * @see RFC 8555 §7.4 — applying for certificate issuance; §7.5 — identifier authorization; RFC 8737 — TLS-ALPN-01
 */
import { z } from 'zod'
import type { Clock } from '../spiffe/clock.ts'
import { IdentityError } from '../spiffe/error.ts'
import type { Account } from './account.ts'
import { keyAuthorizationOf } from './jws.ts'
import { parseAnswer } from './parse-answer.ts'
import { parseProblem } from './problem.ts'
import type { AcmeResponse } from './transport.ts'

export interface OrderDeps {
  readonly account: Account
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Answers for the name by TLS-ALPN-01 until what it returns is disposed. */
  prove(domain: string, keyAuthorization: string): Disposable
}

const MAX_AUTHORIZATIONS = 10
const MAX_CHALLENGES = 20
/** With the longest pause between them that is twenty minutes. */
const MAX_POLLS = 40
const LEAST_POLL_MS = 1_000
const MOST_POLL_MS = 30_000
const CHALLENGE = 'tls-alpn-01'
/** RFC 8555 §8: base64url. */
const TOKEN = /^[A-Za-z0-9_-]{1,256}$/

const ORDER = z.object({
  status: z.enum(['pending', 'ready', 'processing', 'valid', 'invalid']),
  authorizations: z.array(z.string()).max(MAX_AUTHORIZATIONS),
  finalize: z.string(),
  certificate: z.string().optional(),
  error: z.unknown().optional(),
})
const AUTHORIZATION = z.object({
  status: z.enum(['pending', 'valid', 'invalid', 'deactivated', 'expired', 'revoked']),
  identifier: z.object({ type: z.string(), value: z.string() }),
  challenges: z
    .array(
      z.object({
        type: z.string(),
        url: z.string(),
        token: z.string().optional(),
        error: z.unknown().optional(),
      }),
    )
    .max(MAX_CHALLENGES),
})
type Order = z.infer<typeof ORDER>
type Authorization = z.infer<typeof AUTHORIZATION>

/**
 * @param csr DER, for this name
 * @returns PEM as the server gave it: the chain still has to be judged
 * @throws IdentityError UNAVAILABLE or RATE_LIMITED with what the CA said; CANCELED when the signal aborts
 */
export async function orderCertificate(
  domain: string,
  csr: Uint8Array,
  deps: OrderDeps,
): Promise<string> {
  const { account } = deps
  const identifiers = [{ type: 'dns', value: domain }]
  const ordered = await account.post(`the order for ${domain}`, account.newOrderUrl, {
    identifiers,
  })
  const url = ordered.header('location')
  if (url === undefined) {
    throw new IdentityError('UNAVAILABLE', 'the ACME server did not say where the order is')
  }
  const order = parseAnswer('order', ORDER, ordered.body)
  for (const authorization of order.authorizations) await authorize(domain, authorization, deps)
  const ready = await pollOrder(domain, url, (status) => status !== 'pending', deps)
  if (ready.status === 'ready') {
    const payload = { csr: Buffer.from(csr).toString('base64url') }
    await account.post(`to finish the order for ${domain}`, ready.finalize, payload)
  }
  const { certificate } = await pollOrder(domain, url, (status) => status === 'valid', deps)
  if (certificate === undefined) {
    throw new IdentityError('UNAVAILABLE', 'the ACME server did not say where the certificate is')
  }
  return (await account.post(`the certificate of ${domain}`, certificate, undefined)).body
}

async function authorize(domain: string, url: string, deps: OrderDeps): Promise<void> {
  const what = `the authorization of ${domain}`
  const { account } = deps
  const { body } = await account.post(what, url, undefined)
  const { status, identifier, challenges } = parseAnswer('authorization', AUTHORIZATION, body)
  if (identifier.type !== 'dns' || identifier.value.toLowerCase() !== domain) {
    const seen = JSON.stringify(`${identifier.type}:${identifier.value}`)
    throw new IdentityError(
      'UNAVAILABLE',
      `the ACME server asks to prove ${seen}, expected ${domain} alone`,
    )
  }
  if (status === 'valid') return // proved before, and remembered by the CA
  const challenge = challenges.find(({ type }) => type === CHALLENGE)
  if (challenge?.token === undefined || !TOKEN.test(challenge.token)) {
    const kinds = challenges.map(({ type }) => JSON.stringify(type)).join(', ') || 'nothing'
    throw new IdentityError(
      'UNAVAILABLE',
      `the ACME server offers ${kinds} to prove ${domain}, expected ${CHALLENGE} with a token`,
    )
  }
  using _proof = deps.prove(domain, keyAuthorizationOf(challenge.token, account.thumbprint))
  await account.post(`the challenge for ${domain}`, challenge.url, {})
  const judged = await poll(what, url, deps, (answer) => {
    const now = parseAnswer('authorization', AUTHORIZATION, answer.body)
    return now.status === 'pending' ? undefined : now
  })
  if (judged.status !== 'valid') throw unproved(domain, judged)
}

function unproved(domain: string, { status, challenges }: Authorization): IdentityError {
  const said = challenges.map(({ error }) => parseProblem(error)?.text).find((text) => text)
  const why = said ?? `the authorization is ${status}`
  const advice = `the CA must reach this listener at ${domain} port 443`
  return new IdentityError('UNAVAILABLE', `the CA could not verify ${domain}: ${why}; ${advice}`)
}

/** Until its status is as wanted. @throws IdentityError UNAVAILABLE when the order is lost */
async function pollOrder(
  domain: string,
  url: string,
  isWanted: (status: Order['status']) => boolean,
  deps: OrderDeps,
): Promise<Order> {
  const order = await poll(`the order for ${domain}`, url, deps, (answer) => {
    const now = parseAnswer('order', ORDER, answer.body)
    return now.status === 'invalid' || isWanted(now.status) ? now : undefined
  })
  if (order.status !== 'invalid') return order
  const said = parseProblem(order.error)?.text ?? 'without a reason'
  throw new IdentityError('UNAVAILABLE', `the CA gave up the order for ${domain}: ${said}`)
}

/** Looks again, as often as the server wants within bounds, until `settle` makes something of the answer. */
async function poll<T>(
  what: string,
  url: string,
  { account, clock, signal }: OrderDeps,
  settle: (answer: AcmeResponse) => T | undefined,
): Promise<T> {
  for (let looks = 0; looks < MAX_POLLS; looks++) {
    const answer = await account.post(what, url, undefined)
    const settled = settle(answer)
    if (settled !== undefined) return settled
    await clock.sleep(pauseMs(answer), signal)
    if (signal.aborted) throw new IdentityError('CANCELED', `${what} was not waited for`)
  }
  throw new IdentityError('UNAVAILABLE', `the CA did not settle ${what} in ${MAX_POLLS} looks`)
}

/** Retry-After in seconds; a date, which no CA sends here, counts as nothing. */
function pauseMs(answer: AcmeResponse): number {
  const seconds = Number(answer.header('retry-after') ?? 0)
  const wanted = Number.isFinite(seconds) ? seconds * 1000 : 0
  return Math.min(Math.max(wanted, LEAST_POLL_MS), MOST_POLL_MS)
}
