/**
 * X.509-SVIDs and X.509 bundles for one workload. Every message is the complete state: DER, leaf first, unencrypted
 * PKCS#8, and of other trust domains' bundles only those that its entries federate with.
 *
 * @see Workload-API §5.2 — X.509-SVID profile
 */
import type { X509BundlesResponseInput } from '../../proto/gen/X509BundlesResponse.ts'
import type { X509SVIDResponseInput } from '../../proto/gen/X509SVIDResponse.ts'
import { trustDomainId } from '../../spiffe/id.ts'
import { x509BundleOf } from '../cache/bundle-bytes.ts'
import type { WorkloadUpdate } from '../cache/identity.ts'
import { sendBundles } from './send-bundles.ts'
import { type AnswerDeps, noIdentity, requireAlive, type Send, type Workload } from './workload.ts'

/** Streams until the caller goes away. @throws IdentityError NO_IDENTITY_ISSUED as soon as it has none */
export async function answerX509Svids(
  { source, log, whyNone }: AnswerDeps,
  workload: Workload,
  send: Send<X509SVIDResponseInput>,
): Promise<void> {
  for await (const update of source.watchX509(workload.selectors, workload.signal)) {
    if (update.identities.length === 0) throw noIdentity(whyNone?.(workload))
    requireAlive(workload)
    log.debug(
      { pid: workload.caller.pid, spiffeIds: update.identities.map(({ id }) => id) },
      'Sending X.509-SVIDs to a workload',
    )
    await send(toX509Response(update))
  }
}

/** Streams until the caller goes away; an update that changes nothing in the answer is not sent. */
export async function answerX509Bundles(
  deps: AnswerDeps,
  workload: Workload,
  send: Send<X509BundlesResponseInput>,
): Promise<void> {
  await sendBundles(deps, workload, x509BundleOf, (bundles) => send({ bundles }))
}

const responses = new WeakMap<WorkloadUpdate, X509SVIDResponseInput>()

/** The very same message for the very same update, so that it is encoded once for all workloads that it goes to. */
function toX509Response(update: WorkloadUpdate): X509SVIDResponseInput {
  let response = responses.get(update)
  if (response === undefined) {
    response = makeX509Response(update)
    responses.set(update, response)
  }
  return response
}

function makeX509Response(update: WorkloadUpdate): X509SVIDResponseInput {
  const { identities, bundle, federatedBundles } = update
  const own = x509BundleOf(bundle)
  return {
    svids: identities.map(({ id, chain, key, hint }) => ({
      spiffe_id: id,
      x509_svid: Buffer.concat(chain),
      x509_svid_key: key,
      bundle: own,
      hint,
    })),
    federated_bundles: Object.fromEntries(
      federatedBundles.map((one) => [trustDomainId(one.trustDomain), x509BundleOf(one)]),
    ),
  }
}
