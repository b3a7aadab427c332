/**
 * An account at an ACME server: found or made by its key, and from then on the signer of every request. The server's
 * terms are agreed to only when the operator has said so.
 *
 * @see RFC 8555 §6.5 — replay protection; §7.1.1 — directory; §7.3 — account management
 */
import type { KeyObject } from 'node:crypto'
import { z } from 'zod'
import { IdentityError } from '../spiffe/error.ts'
import { accountJwkOf, type Signatory, signRequest, thumbprintOf } from './jws.ts'
import { parseAnswer } from './parse-answer.ts'
import { problemOf, refusalOf } from './problem.ts'
import type { AcmeResponse, Exchange } from './transport.ts'

export interface AccountSettings {
  readonly directoryUrl: string
  /** Where the CA may write to; undefined: nowhere. */
  readonly email: string | undefined
  readonly isTosAccepted: boolean
}

export interface AccountDeps {
  /** Private, P-256. */
  readonly key: KeyObject
  readonly exchange: Exchange
}

/** The requests of one order: not to be used by two at the same time. */
export interface Account {
  readonly newOrderUrl: string
  /** Of the account's key. */
  readonly thumbprint: string
  /**
   * @param what names the step in the message of a refusal
   * @param payload undefined asks for the resource as it is
   * @throws IdentityError UNAVAILABLE or RATE_LIMITED with what the CA said
   */
  post(what: string, url: string, payload: object | undefined): Promise<AcmeResponse>
}

/** A server may refuse a nonce that grew old; one that refuses fresh ones is not asked for ever. */
const MAX_NONCE_ATTEMPTS = 4

const DIRECTORY = z.object({
  newNonce: z.string(),
  newAccount: z.string(),
  newOrder: z.string(),
  meta: z
    .object({
      termsOfService: z.string().optional(),
      externalAccountRequired: z.boolean().optional(),
    })
    .optional(),
})

/** @throws IdentityError UNAVAILABLE or RATE_LIMITED; PRECONDITION_FAILED when the operator has to do something first */
export async function openAccount(
  settings: AccountSettings,
  { key, exchange }: AccountDeps,
  signal: AbortSignal,
): Promise<Account> {
  const asked = { method: 'GET', url: settings.directoryUrl, body: undefined } as const
  const answered = await exchange(asked, signal)
  if (answered.status !== 200) throw refusalOf('its directory', answered)
  const directory = parseAnswer('directory', DIRECTORY, answered.body)
  const { termsOfService, externalAccountRequired } = directory.meta ?? {}
  if (termsOfService !== undefined && !settings.isTosAccepted) {
    const why = `the CA asks to accept its terms of service at ${JSON.stringify(termsOfService)}; read them and set tos_accepted = true`
    throw new IdentityError('PRECONDITION_FAILED', why)
  }
  if (externalAccountRequired === true) {
    const why = `the CA at ${settings.directoryUrl} takes only accounts that were bound to one of its own before (external account binding), which is not supported; choose another directory_url`
    throw new IdentityError('PRECONDITION_FAILED', why)
  }
  const post = poster(key, exchange, directory.newNonce, signal)
  const jwk = accountJwkOf(key)
  const made = await post(
    'the account',
    directory.newAccount,
    { jwk },
    {
      ...(settings.email === undefined ? {} : { contact: [`mailto:${settings.email}`] }),
      ...(termsOfService === undefined ? {} : { termsOfServiceAgreed: true }),
    },
  )
  const kid = made.header('location')
  if (kid === undefined) {
    throw new IdentityError('UNAVAILABLE', 'the ACME server did not say where the account is')
  }
  return {
    newOrderUrl: directory.newOrder,
    thumbprint: thumbprintOf(jwk),
    post: (what, url, payload) => post(what, url, { kid }, payload),
  }
}

/** Each answer brings the nonce of the next request; a refused one is replaced. */
function poster(key: KeyObject, exchange: Exchange, newNonceUrl: string, signal: AbortSignal) {
  let kept: string | undefined
  const freshNonce = async () => {
    const asked = { method: 'HEAD', url: newNonceUrl, body: undefined } as const
    const answered = await exchange(asked, signal)
    const nonce = answered.header('replay-nonce')
    if (nonce === undefined) throw refusalOf('a nonce', answered)
    return nonce
  }
  return async (
    what: string,
    url: string,
    signatory: Signatory,
    payload: object | undefined,
  ): Promise<AcmeResponse> => {
    const text = payload === undefined ? '' : JSON.stringify(payload)
    for (let attempt = 1; ; attempt++) {
      const nonce = kept ?? (await freshNonce())
      kept = undefined // never twice, whatever becomes of this request
      const body = signRequest(key, signatory, { url, nonce, payload: text })
      const answered = await exchange({ method: 'POST', url, body }, signal)
      kept = answered.header('replay-nonce')
      if (answered.status >= 200 && answered.status < 300) return answered
      const isStale = problemOf(answered)?.kind === 'badNonce'
      if (!isStale || attempt === MAX_NONCE_ATTEMPTS) throw refusalOf(what, answered)
    }
  }
}
