/**
 * Decides whether a JWT-SVID may be believed. Only a key of the bundle of the subject's own trust domain can
 * vouch for it; any doubt refuses it.
 *
 * @see JWT-SVID §4 — validation
 */
import type { KeyObject } from 'node:crypto'
import { compactVerify } from 'jose'
import type { Bundle, JwtAuthority } from '../bundle.ts'
import { type TrustDomain, trustDomainOf } from '../id.ts'
import { parseSpki } from '../key.ts'
import { fits } from './algorithm.ts'
import { invalid, type JwtSvid, parseJwtSvid } from './jwt-svid.ts'

export interface VerifyJwtOptions {
  /** A map will do; it answers with the bundle of exactly that trust domain. */
  readonly bundles: { get(trustDomain: TrustDomain): Bundle | undefined }
  /** Names of the verifier: the token must be meant for one of them. */
  readonly audience: string | readonly string[]
  readonly now: Date
}

/** How far clocks may differ; the same as in go-spiffe and SPIRE. */
const LEEWAY_MS = 60_000

/** @throws IdentityError JWT_SVID_INVALID; the message never carries the token */
export async function verifyJwtSvid(token: string, options: VerifyJwtOptions): Promise<JwtSvid> {
  const { bundles, now } = options
  const audience = [options.audience].flat().filter((one) => one !== '')
  // Without an audience of one's own any token would do: refused.
  if (audience.length === 0) throw invalid('audience must be specified')
  const svid = parseJwtSvid(token)
  const trustDomain = trustDomainOf(svid.id)
  if (svid.keyId === undefined || svid.keyId === '') throw invalid('token header missing key id')
  const bundle = bundles.get(trustDomain)
  if (bundle === undefined || bundle.trustDomain !== trustDomain) {
    throw invalid(`no bundle found for trust domain "${trustDomain}"`)
  }
  const authority = bundle.jwtAuthorities.find(({ keyId }) => keyId === svid.keyId)
  if (authority === undefined) {
    throw invalid(
      `no JWT authority ${JSON.stringify(svid.keyId)} found for trust domain "${trustDomain}"`,
    )
  }
  await checkSignature(token, svid, keyOf(authority))
  // Only now are the claims believed, and parsed again with what they must say.
  checkTimes(svid, now)
  return parseJwtSvid(token, audience)
}

async function checkSignature(token: string, svid: JwtSvid, key: KeyObject): Promise<void> {
  if (!fits(key, svid.algorithm)) {
    throw invalid(`token algorithm ${svid.algorithm} does not fit the key ${svid.keyId}`)
  }
  try {
    await compactVerify(token, key, { algorithms: [svid.algorithm] })
  } catch (cause) {
    throw invalid('token signature is not valid', cause)
  }
}

function checkTimes({ expiresAt, notBefore, issuedAt }: JwtSvid, now: Date): void {
  const time = now.getTime()
  // Written so that a time that is none is refused as well.
  if (!(time - LEEWAY_MS <= expiresAt.getTime())) throw invalid('token has expired')
  for (const start of [notBefore, issuedAt]) {
    if (start !== undefined && !(time + LEEWAY_MS >= start.getTime())) {
      throw invalid('token is not valid yet: its nbf or iat claim lies in the future')
    }
  }
}

/** Reading a key costs more than verifying with it. Entries die with the bundle that holds them. */
const keys = new WeakMap<JwtAuthority, KeyObject>()

function keyOf(authority: JwtAuthority): KeyObject {
  const known = keys.get(authority)
  if (known !== undefined) return known
  try {
    const key = parseSpki(authority.publicKey)
    keys.set(authority, key)
    return key
  } catch (cause) {
    throw invalid(`JWT authority ${JSON.stringify(authority.keyId)} has no readable key`, cause)
  }
}
