/**
 * What a federated trust domain could try with its own authorities and its own endpoint. `example.org` is ours, `partner.org` the
 * attacker that we federate with, `third.org` somebody else that we federate with. Every attack comes with the bundles that a
 * verifier holds after it has decided about whatever was served.
 */
import type { X509Identity } from '../../../agent/cache/identity.ts'
import { acceptBundle } from '../../../server/federation/accept-bundle.ts'
import type { Bundle } from '../../../spiffe/bundle.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'
import type { TestCa } from '../../fakes/ca.ts'
import { currentCa, identityOf, VALID_NOW } from '../../fakes/svids.ts'

/** By number: what an old bundle is told by. */
const numbered = (sequenceNumber: number, { bundle }: TestCa): Bundle => ({
  ...bundle,
  sequenceNumber,
})

export const ours = await currentCa('example.org')
const partner = await currentCa('partner.org')
const retired = await currentCa('partner.org')
const third = await currentCa('third.org')

/** All that a verifier of ours knows. */
const KNOWN: readonly Bundle[] = [ours.bundle, numbered(8, partner), numbered(5, third)]

/** What is known after an endpoint of partner.org has served something. */
function afterServing(served: Bundle): readonly Bundle[] {
  return KNOWN.map((kept) => {
    if (kept.trustDomain !== partner.trustDomain) return kept
    try {
      const accepted = acceptBundle({ ...served, trustDomain: kept.trustDomain }, kept)
      return accepted.kind === 'changed' ? accepted.bundle : kept
    } catch (error) {
      if (error instanceof IdentityError) return kept
      throw error
    }
  })
}

export interface Presented {
  readonly identity: X509Identity
  readonly bundles: readonly Bundle[]
}

/** @param path of the ID that the certificate is to have: what the place expects */
export type Attack = (path: string) => Promise<Presented>

/** Signed by `by`, and says to be `trustDomain`'s. */
async function signed(by: TestCa, trustDomain: string, path: string): Promise<X509Identity> {
  const id = parseSpiffeId(`spiffe://${trustDomain}${path}`)
  return await identityOf(by, path, { id, fields: { uriSans: [id] } })
}

export const ATTACKS: readonly (readonly [string, Attack])[] = [
  [
    'a federated CA that signs for our trust domain',
    async (path) => ({ identity: await signed(partner, 'example.org', path), bundles: KNOWN }),
  ],
  [
    'a federated CA that signs for a third trust domain',
    async (path) => ({ identity: await signed(partner, 'third.org', path), bundles: KNOWN }),
  ],
  [
    'a federated CA that signs a CA which says to be ours',
    async (path) => {
      const uriSans = ['spiffe://example.org']
      const below = await partner.intermediate({ ...VALID_NOW, uriSans })
      return { identity: await signed(below, 'example.org', path), bundles: KNOWN }
    },
  ],
  [
    'a federated CA that sends our authority along',
    async (path) => {
      const identity = await signed(partner, 'example.org', path)
      const chain = [...identity.chain, ours.certificate]
      return { identity: { ...identity, chain }, bundles: KNOWN }
    },
  ],
  [
    'a federated CA that signs an ID of its own beside one of ours',
    async (path) => {
      const uriSans = [`spiffe://partner.org${path}`, `spiffe://example.org${path}`]
      return { identity: await identityOf(partner, path, { fields: { uriSans } }), bundles: KNOWN }
    },
  ],
  [
    'a third trust domain whose bundle the endpoint served for its own',
    async (path) => ({
      identity: await signed(third, 'partner.org', path),
      bundles: afterServing(numbered(9, third)),
    }),
  ],
  [
    'a federated CA that the endpoint served beside ours',
    async (path) => ({
      identity: await signed(partner, 'example.org', path),
      bundles: afterServing({
        ...numbered(9, partner),
        x509Authorities: [...partner.bundle.x509Authorities, ...ours.bundle.x509Authorities],
      }),
    }),
  ],
  [
    'an authority that was retired, from an old bundle that was served again',
    async (path) => ({
      identity: await signed(retired, 'partner.org', path),
      bundles: afterServing(numbered(7, retired)),
    }),
  ],
]

/** Who is to be believed where federated workloads are. */
export const genuinePartner: Attack = async (path) => ({
  identity: await identityOf(partner, path),
  bundles: KNOWN,
})

export const genuineOwn: Attack = async (path) => ({
  identity: await identityOf(ours, path),
  bundles: KNOWN,
})
