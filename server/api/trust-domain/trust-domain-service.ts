/**
 * `spire.api.server.trustdomain.v1.TrustDomain`: the trust domains that this one federates with. What is kept here says
 * where their bundles are; the refresher fetches them, and is told at once when that changes.
 */

import type { TrustDomainHandlers } from '../../../proto/gen/spire/api/server/trustdomain/v1/TrustDomain.ts'
import type { FederationRelationshipInput } from '../../../proto/gen/spire/api/types/FederationRelationship.ts'
import type { FederationRelationshipMask } from '../../../proto/gen/spire/api/types/FederationRelationshipMask.ts'
import type { Implementation } from '../../../proto/serve.ts'
import type { Bell } from '../../../spiffe/bell.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import type { TrustDomain } from '../../../spiffe/id.ts'
import type { BundleRefresher } from '../../federation/refresh-bundles.ts'
import type { FederationRelationship } from '../../federation/relationship.ts'
import type { Caller } from '../../listen/caller.ts'
import { eachPage } from '../../store/page.ts'
import type { BundleStore, FederationStore } from '../../store/store.ts'
import { eachItem } from '../each-item.ts'
import { invalid, notFound, withinAsync } from '../refusal.ts'
import {
  fromWireRelationship,
  parseDomain,
  toWireRelationship,
  updatedRelationship,
} from './wire-relationship.ts'

export interface TrustDomainServiceDeps {
  readonly trustDomain: TrustDomain
  readonly federation: FederationStore
  readonly bundles: Pick<BundleStore, 'find'>
  readonly refresher: Pick<BundleRefresher, 'refresh'>
  /** Rings when a relationship was written. */
  readonly relationshipsChanged: Pick<Bell, 'ring'>
}

type Calls = Required<Implementation<Caller, TrustDomainHandlers>>
type ToWire = (
  relationship: FederationRelationship,
  mask: FederationRelationshipMask | null,
) => Promise<FederationRelationshipInput>

export function trustDomainService(
  deps: TrustDomainServiceDeps,
): Implementation<Caller, TrustDomainHandlers> {
  const { bundles } = deps
  const toWire: ToWire = async (relationship, mask) => {
    const isBundleWanted = mask === null || mask.trust_domain_bundle
    const bundle = isBundleWanted ? await bundles.find(relationship.trustDomain) : undefined
    return toWireRelationship(relationship, bundle, mask)
  }
  return {
    ...readCalls(deps, toWire),
    ...writeCalls(deps, toWire),

    async RefreshBundle({ trust_domain }, { signal }) {
      const trustDomain = parseDomain(trust_domain)
      const isFound = await withinAsync('failed to refresh bundle', () =>
        deps.refresher.refresh(trustDomain, signal),
      )
      if (!isFound) throw notFound(`no relationship with trust domain "${trustDomain}"`)
      return {}
    },
  }
}

function readCalls({ federation }: TrustDomainServiceDeps, toWire: ToWire) {
  return {
    async ListFederationRelationships({ output_mask, page_size, page_token }) {
      const toWires = (all: readonly FederationRelationship[]) =>
        Promise.all(all.map((one) => toWire(one, output_mask)))
      return await withinAsync('failed to list federation relationships', async () => {
        if (page_size > 0) {
          const page = await federation.list({ size: page_size, token: page_token })
          return {
            federation_relationships: await toWires(page.items),
            next_page_token: page.nextToken,
          }
        }
        const all: FederationRelationshipInput[] = []
        for await (const page of eachPage((request) => federation.list(request))) {
          all.push(...(await toWires(page)))
        }
        return { federation_relationships: all }
      })
    },

    async GetFederationRelationship({ trust_domain, output_mask }) {
      const relationship = await federation.find(parseDomain(trust_domain))
      if (relationship === undefined) throw notFound('federation relationship does not exist')
      return await toWire(relationship, output_mask)
    },
  } satisfies Partial<Calls>
}

function writeCalls(
  { trustDomain: own, federation, relationshipsChanged }: TrustDomainServiceDeps,
  toWire: ToWire,
) {
  return {
    async BatchCreateFederationRelationship({ federation_relationships, output_mask }, { signal }) {
      const results = await eachItem(federation_relationships, signal, async (wire) => {
        const { relationship, bundle } = fromWireRelationship(wire)
        if (relationship.trustDomain === own) {
          throw invalid('unable to create federation relationship for server trust domain')
        }
        if (!(await federation.create(relationship, bundle))) throw duplicate()
        relationshipsChanged.ring()
        return { federation_relationship: await toWire(relationship, output_mask) }
      })
      return { results }
    },

    async BatchUpdateFederationRelationship(request, { signal }) {
      const { federation_relationships, input_mask, output_mask } = request
      const isBundleGiven = input_mask === null || input_mask.trust_domain_bundle
      const results = await eachItem(federation_relationships, signal, async (wire) => {
        const { relationship, bundle } = fromWireRelationship(wire)
        const updated = await federation.update(
          relationship.trustDomain,
          (current) => updatedRelationship(current, relationship, input_mask),
          isBundleGiven ? bundle : undefined,
        )
        if (updated === undefined) throw noneToUpdate()
        relationshipsChanged.ring()
        return { federation_relationship: await toWire(updated, output_mask) }
      })
      return { results }
    },

    async BatchDeleteFederationRelationship({ trust_domains }, { signal }) {
      const results = await eachItem(trust_domains, signal, async (name) => {
        if (name === '') throw invalid('missing trust domain')
        const trustDomain = parseDomain(name)
        if (!(await federation.remove(trustDomain))) {
          throw notFound('federation relationship not found')
        }
        return {}
      })
      return {
        results: results.map((result, at) => ({
          ...result,
          trust_domain: bareName(trust_domains[at] ?? ''),
        })),
      }
    },
  } satisfies Partial<Calls>
}

/** What cannot be read is told as it came, as SPIRE does. */
function bareName(name: string): string {
  try {
    return parseDomain(name)
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    return name
  }
}

/** SPIRE's code and text for what is there already, its database's words included: callers look for them. */
function duplicate(): IdentityError {
  return new IdentityError(
    'INTERNAL',
    'failed to create federation relationship: datastore-sql: UNIQUE constraint failed: federated_trust_domains.trust_domain',
  )
}

/** SPIRE's code and text. */
function noneToUpdate(): IdentityError {
  return new IdentityError(
    'INTERNAL',
    'failed to update federation relationship: unable to fetch federation relationship: record not found',
  )
}
