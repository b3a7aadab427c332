/** Bundles of other trust domains that are set and deleted. Each version has other authorities, keys and numbers. */
import type { BatchDeleteFederatedBundleResponse } from '../../proto/gen/spire/api/server/bundle/v1/BatchDeleteFederatedBundleResponse.ts'
import type { BatchSetFederatedBundleResponse } from '../../proto/gen/spire/api/server/bundle/v1/BatchSetFederatedBundleResponse.ts'
import type { ListFederatedBundlesResponse } from '../../proto/gen/spire/api/server/bundle/v1/ListFederatedBundlesResponse.ts'
import type { Bundle, BundleInput } from '../../proto/gen/spire/api/types/Bundle.ts'
import { generateKey, spkiOf } from '../../spiffe/key.ts'
import { testCa } from '../fakes/ca.ts'
import { pick } from '../fakes/seeded.ts'
import { ask, call, deadline } from './clients.ts'
import { createRecord } from './record.ts'
import { settle, type WriteStream } from './stream.ts'

const DOMAINS = ['one.example', 'two.example', 'three.example']

function stateOf(bundle: BundleInput | Bundle): string {
  const { x509_authorities: x509 = [], jwt_authorities: jwt = [] } = bundle
  const roots = x509.map(({ asn1 }) => Buffer.from(asn1 ?? '').toString('hex', 0, 16))
  const keys = jwt.map(({ key_id: id }) => id)
  return [roots, keys, bundle.refresh_hint, bundle.sequence_number].join(' ')
}

export async function bundleStream(): Promise<WriteStream> {
  const record = createRecord('federated bundle')
  const ca = await testCa({ trustDomain: 'one.example' })
  const spki = spkiOf(await generateKey('ec-p256'))
  let version = 0
  return {
    async step({ admin, random, fault }) {
      const domain = pick(random, DOMAINS) ?? ''
      const refused = (why: string) => fault(`federated bundle ${domain} refused: ${why}`)
      if (record.sure(domain) !== undefined && random() < 0.3) {
        const attempt = record.attempt(domain, undefined)
        const remove = ask<BatchDeleteFederatedBundleResponse>((done) =>
          admin.bundle.BatchDeleteFederatedBundle({ trust_domains: [domain] }, deadline(), done),
        )
        return settle(await remove, attempt, refused)
      }
      version += 1
      const bundle: BundleInput = {
        trust_domain: domain,
        x509_authorities: [{ asn1: Buffer.from(ca.certificate) }],
        jwt_authorities: [
          { key_id: `a${version}`, public_key: Buffer.from(spki) },
          { key_id: `b${version}`, public_key: Buffer.from(spki) },
        ],
        refresh_hint: version,
        sequence_number: version,
      }
      const attempt = record.attempt(domain, stateOf(bundle))
      const set = ask<BatchSetFederatedBundleResponse>((done) =>
        admin.bundle.BatchSetFederatedBundle({ bundle: [bundle] }, deadline(), done),
      )
      return settle(await set, attempt, refused)
    },
    async check({ admin }) {
      const { bundles } = await call<ListFederatedBundlesResponse>((done) =>
        admin.bundle.ListFederatedBundles({}, deadline(), done),
      )
      return record.judge(new Map(bundles.map((one) => [one.trust_domain, stateOf(one)])))
    },
    counts: () => record,
  }
}
