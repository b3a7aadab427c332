/**
 * Attests a node by a certificate that it has from elsewhere: the chain must lead to a configured authority, and the
 * node must sign a nonce with the key of its leaf. Fails closed: whatever cannot be verified is refused.
 *
 * @see SPIRE behaviour §2 — x509pop
 */
import {
  readX509PopAnswer,
  readX509PopPayload,
  writeX509PopChallenge,
} from '../../proto/x509pop.ts'
import type { Bundle, X509Authority } from '../../spiffe/bundle.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { type ErrorCode, IdentityError, reasonOf } from '../../spiffe/error.ts'
import { pathOf, type SpiffeId, spiffeId, type TrustDomain } from '../../spiffe/id.ts'
import type { RandomBytes } from '../../spiffe/random.ts'
import { type Certificate, publicKeyOf } from '../../spiffe/x509/certificate.ts'
import { commonNameOf } from '../../spiffe/x509/name.ts'
import { isPossessionProven, NONCE_BYTES, possessionKindOf } from '../../spiffe/x509/possession.ts'
import { verifyX509Svid } from '../../spiffe/x509/verify.ts'
import { verifyPkiChain } from '../../spiffe/x509/verify-pki.ts'
import { type AgentPathTemplate, renderAgentPath } from './agent-path-template.ts'
import { hasClientIp } from './client-ip.ts'
import type { AttestedAs, Challenge, NodeAttestor } from './node-attestor.ts'
import { fingerprintOf, x509PopSelectors } from './x509pop-selectors.ts'

export const X509POP = 'x509pop'

export interface X509PopOptions {
  readonly trust:
    | { readonly mode: 'external_pki'; readonly authorities: readonly X509Authority[] }
    /** Nodes with an SVID of ours whose path begins with `svidPrefix` and a slash. */
    | { readonly mode: 'spiffe'; readonly svidPrefix: string }
  readonly pathTemplate: AgentPathTemplate
  readonly maxIntermediates: number
  readonly maxRsaBits: number
  /** The caller's address must be an IP SAN of its leaf. */
  readonly verifyClientIp: boolean
}

export interface X509PopDeps {
  readonly trustDomain: TrustDomain
  /** Of our own trust domain, at this moment. */
  bundle(): Bundle
  readonly clock: Clock
  readonly randomBytes: RandomBytes
}

export function x509PopAttestor(options: X509PopOptions, deps: X509PopDeps): NodeAttestor {
  return {
    type: X509POP,
    async attest(payload, challenge, clientIp) {
      try {
        return await attest(payload, challenge, clientIp, options, deps)
      } catch (error) {
        throw inContext(`nodeattestor(${X509POP})`, error)
      }
    },
  }
}

async function attest(
  payload: Uint8Array,
  challenge: Challenge,
  clientIp: string | undefined,
  options: X509PopOptions,
  deps: X509PopDeps,
): Promise<AttestedAs> {
  const chain = readX509PopPayload(payload)
  const verified = refusing('certificate verification failed', () =>
    verifyChain(chain, options, deps),
  )
  const { leaf, path } = verified
  if (options.verifyClientIp && !hasClientIp(leaf, clientIp)) {
    throw denied(`client IP ${clientIp ?? ''} does not match any certificate IP SAN`)
  }
  const key = publicKeyOf(leaf)
  const kind = possessionKindOf(key)
  if (kind === undefined) {
    throw denied(`a key of type ${key.asymmetricKeyType} cannot be challenged, expected RSA or EC`)
  }
  const nonce = deps.randomBytes(NONCE_BYTES)
  const answer = readX509PopAnswer(await challenge(writeX509PopChallenge({ kind, nonce })))
  if (!isPossessionProven(key, nonce, answer)) {
    throw denied('challenge response verification failed: the signature is not of the leaf’s key')
  }
  return {
    id: agentIdOf(verified, options, deps),
    canReattest: true,
    selectors: x509PopSelectors(leaf, path.slice(1), deps.trustDomain),
  }
}

interface Verified {
  readonly leaf: Certificate
  /** Leaf first, authority last. */
  readonly path: readonly Certificate[]
  readonly svidPathTrimmed: string | undefined
}

function verifyChain(
  chain: readonly Uint8Array[],
  { trust, maxIntermediates, maxRsaBits }: X509PopOptions,
  { bundle, clock }: X509PopDeps,
): Verified {
  const now = clock.now()
  const authorities = trust.mode === 'spiffe' ? bundle().x509Authorities : trust.authorities
  // An SVID's rules are these and more; in this order, a chain that is too long is never read.
  const { leaf, path } = verifyPkiChain({ chain, authorities, now, maxIntermediates })
  for (const certificate of path.slice(0, -1)) checkRsaSize(certificate, maxRsaBits)
  if (trust.mode === 'external_pki') return { leaf, path, svidPathTrimmed: undefined }
  const { id } = verifyX509Svid({ chain, bundle: bundle(), now })
  return { leaf, path, svidPathTrimmed: trimPrefix(id, trust.svidPrefix) }
}

function checkRsaSize(certificate: Certificate, maxRsaBits: number): void {
  const bits = publicKeyOf(certificate).asymmetricKeyDetails?.modulusLength ?? 0
  if (bits > maxRsaBits) throw denied(`RSA key of ${bits} bits, at most ${maxRsaBits} are allowed`)
}

function trimPrefix(id: SpiffeId, prefix: string): string {
  const path = pathOf(id)
  if (path.startsWith(`${prefix}/`)) return path.slice(prefix.length + 1)
  throw denied(`${id} cannot be exchanged: its path does not begin with ${prefix}/`)
}

function agentIdOf(
  { leaf, svidPathTrimmed }: Verified,
  { pathTemplate }: X509PopOptions,
  { trustDomain }: X509PopDeps,
): SpiffeId {
  const path = renderAgentPath(pathTemplate, {
    PluginName: X509POP,
    Fingerprint: fingerprintOf(leaf),
    TrustDomain: trustDomain,
    'Subject.CommonName': commonNameOf(leaf.subject),
    SerialNumberHex: leaf.serialHex,
    SVIDPathTrimmed: svidPathTrimmed,
  })
  return refusing('failed to make spiffe id', () => spiffeId(trustDomain, `/spire/agent${path}`))
}

/** What is wrong with the certificate is a refusal of the node, whatever it would be elsewhere. */
function refusing<T>(what: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw inContext(what, error, 'NOT_AUTHORIZED')
  }
}

function inContext(what: string, error: unknown, code?: ErrorCode): unknown {
  if (!(error instanceof IdentityError)) return error
  const message = `${what}: ${reasonOf(error)}`
  return new IdentityError(code ?? error.code, message, { cause: error })
}

function denied(why: string): IdentityError {
  return new IdentityError('NOT_AUTHORIZED', why)
}
