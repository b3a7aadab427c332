/**
 * X.509 authorities: CA certificates, which sign SVIDs and CAs of servers further down. They sign themselves, or an
 * upstream authority signs them; its roots are then what is published, and its chain goes with every SVID.
 */
import type { KeyObject } from 'node:crypto'
import {
  appendAuthorities,
  revokeX509Authority,
  taintX509Authority,
} from '../../spiffe/bundle/merge.ts'
import type { X509Authority } from '../../spiffe/bundle.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { type TrustDomain, trustDomainId } from '../../spiffe/id.ts'
import { type KeyType, spkiOf } from '../../spiffe/key.ts'
import type { RandomBytes } from '../../spiffe/random.ts'
import type { CaSubject } from '../../spiffe/x509/ca-certificate.ts'
import { parseCertificate } from '../../spiffe/x509/certificate.ts'
import { createCsr } from '../../spiffe/x509/csr.ts'
import { authorityIdOf } from '../../spiffe/x509/key-id.ts'
import { encodeName } from '../../spiffe/x509/name.ts'
import { rootOf, type UpstreamAuthority } from '../upstream/upstream-authority.ts'
import type { AuthorityKind } from './authority-kind.ts'
import { mustNotSign } from './choose-authority.ts'
import { randomSerial } from './serial.ts'
import type { Authority, KeySlot } from './slots.ts'
import { validityFrom } from './validity.ts'

export interface X509Ca extends Authority {
  /** DER. */
  readonly certificate: Uint8Array
  /** Undefined: it signed itself. */
  readonly upstream: UpstreamLink | undefined
}

/** How a verifier gets from a CA to a root. */
export interface UpstreamLink {
  /** DER: what goes with every SVID after the CA's own certificate, towards the root. */
  readonly intermediates: readonly Uint8Array[]
  /** The root's own. */
  readonly authorityId: string
}

/** DER: what goes with every SVID after the leaf. A root is in the bundle, and goes with none. */
export function chainAbove({ certificate, upstream }: X509Ca): readonly Uint8Array[] {
  return upstream === undefined ? [] : [certificate, ...upstream.intermediates]
}

export interface X509CaOptions {
  readonly trustDomain: TrustDomain
  readonly keyType: KeyType
  readonly subject: CaSubject
  readonly ttlSeconds: number
  readonly randomBytes: RandomBytes
  /** Undefined: authorities sign themselves. */
  readonly upstream: Pick<UpstreamAuthority, 'mintX509Ca'> | undefined
}

export function x509CaKind(options: X509CaOptions): AuthorityKind<X509Ca> {
  const { trustDomain, keyType, subject, ttlSeconds, randomBytes, upstream } = options
  // Between being made and being published: what upstream vouches with.
  const rootsOf = new WeakMap<X509Ca, readonly X509Authority[]>()
  return {
    name: 'X.509',
    keyType,
    keyId: (slot) => `x509-CA-${slot}`,
    async make(key, keySlot, now) {
      if (upstream !== undefined) {
        const { ca, roots } = await askUpstream(upstream, { ...options, key, keySlot, now })
        rootsOf.set(ca, roots)
        return ca
      }
      // A server that has its authorities already starts sooner without it.
      const { createCaCertificate } = await import('../../spiffe/x509/ca-certificate.ts')
      const { issuedAt, notBefore, expiresAt } = validityFrom(now, ttlSeconds)
      const certificate = await createCaCertificate({
        key,
        trustDomain,
        subject,
        notBefore,
        notAfter: expiresAt,
        serial: randomSerial(randomBytes),
      })
      return readX509Ca(new Uint8Array(certificate), keySlot, issuedAt, undefined)
    },
    isKeyOf: (key, { certificate }) => spkiOf(key).equals(parseCertificate(certificate).spki),
    isAsConfigured: (ca) => (ca.upstream === undefined) === (upstream === undefined),
    publish: (bundle, ca) =>
      appendAuthorities(bundle, {
        x509Authorities: rootsOf.get(ca) ?? [{ der: ca.certificate, tainted: false }],
        jwtAuthorities: [],
      }),
    isPublished: ({ x509Authorities }, { certificate, upstream: link }) =>
      x509Authorities.some(({ der }) =>
        link === undefined
          ? Buffer.from(certificate).equals(der)
          : authorityIdOf(der) === link.authorityId,
      ),
    isTainted: ({ x509Authorities }, { certificate, upstream: link }) =>
      link === undefined &&
      x509Authorities.some(({ der, tainted }) => tainted && Buffer.from(certificate).equals(der)),
    withdraw(bundle, { id, upstream: link }) {
      // What is published is upstream's root then, and others are below it.
      if (link !== undefined) return bundle
      const without = revokeX509Authority(taintX509Authority(bundle, id), id)
      return { ...without, sequenceNumber: bundle.sequenceNumber + 1 }
    },
    taint: taintX509Authority,
    mustBeRevocable(slots, _bundle, id) {
      mustNotSign(slots, id)
      if (slots.old?.id === id) return
      throw new IdentityError(
        'REQUEST_INVALID',
        'invalid authority ID: only Old local authority can be revoked',
      )
    },
    revoke: revokeX509Authority,
  }
}

interface UpstreamRequest extends X509CaOptions {
  readonly key: KeyObject
  readonly keySlot: KeySlot
  readonly now: Date
}

async function askUpstream(
  upstream: Pick<UpstreamAuthority, 'mintX509Ca'>,
  { trustDomain, subject, ttlSeconds, randomBytes, key, keySlot, now }: UpstreamRequest,
) {
  const serialNumber = BigInt(`0x${Buffer.from(randomSerial(randomBytes)).toString('hex')}`)
  const name = encodeName({ ...subject, serialNumber: serialNumber.toString() })
  const csr = createCsr({ key, uriSans: [trustDomainId(trustDomain)], subject: name })
  const minted = await upstream.mintX509Ca(csr, ttlSeconds)
  const root = rootOf(minted, now)
  const [certificate, ...intermediates] = minted.chain
  if (!spkiOf(key).equals(parseCertificate(certificate).spki)) {
    throw new IdentityError('UNAVAILABLE', 'the upstream authority signed another key than ours')
  }
  const link = { intermediates, authorityId: authorityIdOf(root.der) }
  return { ca: readX509Ca(certificate, keySlot, now, link), roots: minted.roots }
}

/** @throws IdentityError CERTIFICATE_MALFORMED */
export function readX509Ca(
  certificate: Uint8Array,
  keySlot: KeySlot,
  issuedAt: Date,
  upstream: UpstreamLink | undefined,
): X509Ca {
  const { notBefore, notAfter } = parseCertificate(certificate)
  const id = authorityIdOf(certificate)
  return { id, keySlot, issuedAt, notBefore, expiresAt: notAfter, certificate, upstream }
}
