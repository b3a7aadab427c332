/**
 * The bundle from the Workload API of another agent, which the operator trusts. Only the bundle under the name of our own
 * trust domain counts.
 *
 * @see SPIRE behaviour §11 — trust_bundle_spiffe_workload_api
 */
import { credentials, Metadata } from '@grpc/grpc-js'
import type { EndpointAddress } from '../../proto/endpoint-address.ts'
import type { X509BundlesResponse } from '../../proto/gen/X509BundlesResponse.ts'
import { workloadApi } from '../../proto/load.ts'
import { type Bundle, emptyBundle } from '../../spiffe/bundle.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import { parseCertificates } from '../../spiffe/x509/certificate.ts'
import { type CallLimits, readStream, withDeadline } from './call.ts'

/** @throws IdentityError UNAVAILABLE when there is no answer, or none with a bundle of ours */
export async function fetchFromWorkloadApi(
  address: EndpointAddress,
  trustDomain: TrustDomain,
  limits: CallLimits,
): Promise<Bundle> {
  const source = `trust_bundle_spiffe_workload_api ${address}`
  try {
    const { bundles } = await firstAnswer(address, limits)
    const certificates = bundles[`spiffe://${trustDomain}`]
    if (certificates === undefined || certificates.length === 0) {
      throw new Error(`it has no bundle of ${trustDomain}`)
    }
    const x509Authorities = parseCertificates(certificates).map(({ der }) => ({
      der,
      tainted: false,
    }))
    return { ...emptyBundle(trustDomain), x509Authorities }
  } catch (error) {
    const why = `cannot fetch the bundle from ${source}: ${reasonOf(error)}`
    throw new IdentityError('UNAVAILABLE', why, { cause: error })
  }
}

async function firstAnswer(
  address: EndpointAddress,
  limits: CallLimits,
): Promise<X509BundlesResponse> {
  // Workloads know the endpoint by its address alone: TLS would need the identity that it gives out.
  const client = new (workloadApi())(address, credentials.createInsecure())
  const metadata = new Metadata()
  metadata.set('workload.spiffe.io', 'true')
  try {
    return await withDeadline(limits, async (onCall) => {
      const call = client.FetchX509Bundles({}, metadata)
      onCall(call)
      for await (const answer of readStream<X509BundlesResponse>(call)) return answer
      throw new Error('it ended the stream without an answer')
    })
  } finally {
    client.close()
  }
}
