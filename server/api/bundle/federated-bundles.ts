/** The calls about bundles of other trust domains: listed, read, created, replaced and removed by operators. */
import type { _spire_api_server_bundle_v1_BatchDeleteFederatedBundleRequest_Mode as Mode } from '../../../proto/gen/spire/api/server/bundle/v1/BatchDeleteFederatedBundleRequest.ts'
import type { BundleHandlers } from '../../../proto/gen/spire/api/server/bundle/v1/Bundle.ts'
import type { Bundle as WireBundle } from '../../../proto/gen/spire/api/types/Bundle.ts'
import type { Implementation } from '../../../proto/serve.ts'
import type { Bundle } from '../../../spiffe/bundle.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import type { TrustDomain } from '../../../spiffe/id.ts'
import type { Caller } from '../../listen/caller.ts'
import { eachPage } from '../../store/page.ts'
import type { BundleRemoval, BundleStore, RemoveBundleResult } from '../../store/store.ts'
import { eachItem } from '../each-item.ts'
import { invalid, notFound, within, withinAsync } from '../refusal.ts'
import { toMaskedBundle } from './masked-bundle.ts'
import { fromWireFederated, parseForeignDomain, updatedBundle } from './wire-federated-bundle.ts'

export interface FederatedBundlesDeps {
  readonly trustDomain: TrustDomain
  readonly bundles: Pick<BundleStore, 'find' | 'list' | 'update' | 'remove'>
}

type FederatedCalls = Pick<
  Required<Implementation<Caller, BundleHandlers>>,
  | 'ListFederatedBundles'
  | 'GetFederatedBundle'
  | 'BatchCreateFederatedBundle'
  | 'BatchUpdateFederatedBundle'
  | 'BatchSetFederatedBundle'
  | 'BatchDeleteFederatedBundle'
>

export function federatedBundles(deps: FederatedBundlesDeps): FederatedCalls {
  return { ...readCalls(deps), ...writeCalls(deps), ...deleteCall(deps) }
}

function readCalls({ trustDomain: own, bundles }: FederatedBundlesDeps) {
  return {
    async ListFederatedBundles({ output_mask, page_size, page_token }) {
      const toWire = (all: readonly Bundle[]) =>
        all
          .filter(({ trustDomain }) => trustDomain !== own)
          .map((bundle) => toMaskedBundle(bundle, output_mask))
      return await withinAsync('failed to list bundles', async () => {
        if (page_size > 0) {
          // The page that has the server's own bundle is one short, as SPIRE's.
          const page = await bundles.list({ size: page_size, token: page_token })
          return { bundles: toWire(page.items), next_page_token: page.nextToken }
        }
        const all: Bundle[] = []
        for await (const page of eachPage((request) => bundles.list(request))) all.push(...page)
        return { bundles: toWire(all) }
      })
    },

    async GetFederatedBundle({ trust_domain, output_mask }) {
      const wanted = parseForeignDomain(
        trust_domain,
        own,
        "getting a federated bundle for the server's own trust domain is not allowed",
      )
      const bundle = await bundles.find(wanted)
      if (bundle === undefined) throw notFound('bundle not found')
      return toMaskedBundle(bundle, output_mask)
    },
  } satisfies Partial<FederatedCalls>
}

function readBundle(wire: WireBundle, trustDomain: TrustDomain): Bundle {
  return within('failed to convert bundle', () => fromWireFederated(wire, trustDomain))
}

function writeCalls({ trustDomain: own, bundles }: FederatedBundlesDeps) {
  const parse = (name: string, verb: string) =>
    parseForeignDomain(
      name,
      own,
      `${verb} a federated bundle for the server's own trust domain is not allowed`,
    )
  const write = async (
    trustDomain: TrustDomain,
    change: (current: Bundle | undefined) => Bundle,
  ): Promise<Bundle> => {
    const written = await bundles.update(trustDomain, change)
    if (written === undefined) throw new Error(`the bundle of ${trustDomain} was not written`)
    return written
  }
  return {
    async BatchCreateFederatedBundle({ bundle: wires, output_mask }, { signal }) {
      const results = await eachItem(wires, signal, async (wire) => {
        const trustDomain = parse(wire.trust_domain, 'creating')
        const given = readBundle(wire, trustDomain)
        const created = await write(trustDomain, (current) => {
          if (current === undefined) return given
          throw new IdentityError('ALREADY_EXISTS', 'bundle already exists')
        })
        return { bundle: toMaskedBundle(created, output_mask) }
      })
      return { results }
    },

    async BatchUpdateFederatedBundle({ bundle: wires, input_mask, output_mask }, { signal }) {
      const results = await eachItem(wires, signal, async (wire) => {
        const trustDomain = parse(wire.trust_domain, 'updating')
        const given = readBundle(wire, trustDomain)
        const updated = await write(trustDomain, (current) => {
          if (current === undefined) throw notFound('bundle not found')
          return updatedBundle(current, given, input_mask)
        })
        return { bundle: toMaskedBundle(updated, output_mask) }
      })
      return { results }
    },

    async BatchSetFederatedBundle({ bundle: wires, output_mask }, { signal }) {
      const results = await eachItem(wires, signal, async (wire) => {
        const trustDomain = parse(wire.trust_domain, 'setting')
        const given = readBundle(wire, trustDomain)
        const set = await write(trustDomain, () => given)
        return { bundle: toMaskedBundle(set, output_mask) }
      })
      return { results }
    },
  } satisfies Partial<FederatedCalls>
}

const REMOVALS: Readonly<Record<Mode, BundleRemoval>> = {
  RESTRICT: 'restrict',
  DELETE: 'delete',
  DISSOCIATE: 'dissociate',
}

function deleteCall({ trustDomain: own, bundles }: FederatedBundlesDeps) {
  return {
    async BatchDeleteFederatedBundle({ trust_domains, mode }, { signal }) {
      // A number that is no mode of ours arrives as itself.
      const removals: Readonly<Record<string, BundleRemoval | undefined>> = REMOVALS
      const removal = removals[mode]
      if (removal === undefined) {
        throw invalid(`failed to parse deletion mode: unhandled delete mode "${mode}"`)
      }
      const results = await eachItem(trust_domains, signal, async (name) => {
        const trustDomain = parseForeignDomain(
          name,
          own,
          'removing the bundle for the server trust domain is not allowed',
        )
        refuseUnremoved(await bundles.remove(trustDomain, removal))
        return {}
      })
      return {
        results: results.map((result, at) => ({
          ...result,
          trust_domain: trust_domains[at] ?? '',
        })),
      }
    },
  } satisfies Partial<FederatedCalls>
}

function refuseUnremoved(result: RemoveBundleResult): void {
  switch (result.kind) {
    case 'removed':
      return
    case 'not-found':
      throw notFound('bundle not found')
    case 'in-use':
      // SPIRE's text, the name of its database layer included.
      throw new IdentityError(
        'PRECONDITION_FAILED',
        `failed to delete federated bundle: datastore-sql: cannot delete bundle; federated with ${result.entryCount} registration entries`,
      )
    default:
      result satisfies never
  }
}
