/**
 * Turns the certificate chain a client presented into who it is. Fails closed: a chain that cannot be
 * verified against the bundle of the trust domain in its own SPIFFE ID is an error, never "anonymous".
 *
 * @see X509-SVID §5 — validation; SPIRE API §2 — who may connect
 */
import type { Bundle } from '../../spiffe/bundle.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { parseSpiffeId, type SpiffeId, type TrustDomain, trustDomainOf } from '../../spiffe/id.ts'
import { type Certificate, parseCertificate } from '../../spiffe/x509/certificate.ts'
import { verifyX509Svid } from '../../spiffe/x509/verify.ts'
import type { PresentedSvid } from '../nodes/judge-agent.ts'

export interface TrustDeps {
  readonly trustDomain: TrustDomain
  /** IDs of any trust domain that may call as administrators. */
  readonly adminIds: ReadonlySet<SpiffeId>
  bundleOf(trustDomain: TrustDomain): Promise<Bundle | undefined>
  readonly clock: Clock
}

export type PeerIdentity =
  | { readonly kind: 'anonymous' }
  | {
      readonly kind: 'peer'
      readonly svid: PresentedSvid
      /** Verifies the chain against the bundle of this moment. @throws IdentityError CERTIFICATE_UNTRUSTED */
      verifyAgain(): Promise<void>
    }
  /** The certificate names nobody: the caller is told so, and gets nothing. */
  | { readonly kind: 'unnamed'; readonly refusal: IdentityError }

/**
 * @param chain DER, leaf first, as the client sent it; empty when it sent none
 * @throws IdentityError CERTIFICATE_MALFORMED or CERTIFICATE_UNTRUSTED
 */
export async function identifyPeer(
  chain: readonly Uint8Array[],
  deps: TrustDeps,
): Promise<PeerIdentity> {
  const [first] = chain
  if (first === undefined) return { kind: 'anonymous' }
  const leaf = parseCertificate(first)
  const named = nameOf(leaf)
  if (named.kind === 'unnamed') return named
  const verify = chainVerifier(chain, named.id, deps)
  await verify()
  return {
    kind: 'peer',
    svid: {
      ...{ id: named.id, serialNumber: String(leaf.serial), expiresAt: leaf.notAfter },
      authorityId: leaf.authorityKeyId,
    },
    verifyAgain: verify,
  }
}

/**
 * Each run decides anew, but does not look through the same bundle a second time while all of the path is valid.
 * @returns what throws IdentityError CERTIFICATE_UNTRUSTED, also when the trust domain has no bundle or no business here
 */
function chainVerifier(
  chain: readonly Uint8Array[],
  id: SpiffeId,
  deps: TrustDeps,
): () => Promise<void> {
  let believed: { readonly by: Bundle; readonly until: number } | undefined
  return async () => {
    const bundle = await bundleFor(id, deps)
    const now = deps.clock.now()
    if (believed?.by === bundle && now.getTime() <= believed.until) return
    // Only this one bundle: with several at once, a CA of one trust domain could vouch for another.
    const { path } = verifyX509Svid({ chain, bundle, now, usage: 'clientAuth' })
    believed = { by: bundle, until: Math.min(...path.map(({ notAfter }) => notAfter.getTime())) }
  }
}

async function bundleFor(
  id: SpiffeId,
  { trustDomain, adminIds, bundleOf }: TrustDeps,
): Promise<Bundle> {
  const peerDomain = trustDomainOf(id)
  if (peerDomain !== trustDomain && !adminIds.has(id)) {
    throw new IdentityError(
      'CERTIFICATE_UNTRUSTED',
      `unexpected trust domain in ID "${id}", expected ${trustDomain} or one of admin_ids`,
    )
  }
  const bundle = await bundleOf(peerDomain)
  if (bundle === undefined) {
    throw new IdentityError(
      'CERTIFICATE_UNTRUSTED',
      `no bundle found for trust domain "${peerDomain}"; federate with it first`,
    )
  }
  return bundle
}

function nameOf(
  leaf: Certificate,
): { readonly kind: 'named'; readonly id: SpiffeId } | (PeerIdentity & { kind: 'unnamed' }) {
  const unnamed = (why: string) =>
    ({ kind: 'unnamed', refusal: new IdentityError('CALLER_UNIDENTIFIED', why) }) as const
  const [uri, ...others] = leaf.uriSans
  if (uri === undefined) return unnamed('client certificate has no URI SAN')
  if (others.length > 0) return unnamed('client certificate has more than one URI SAN')
  try {
    return { kind: 'named', id: parseSpiffeId(uri) }
  } catch (error) {
    return unnamed(`client certificate has a malformed URI SAN: ${reasonOf(error)}`)
  }
}
