/**
 * ClusterStaticEntry: one registration entry, written out; for workloads and nodes outside of the cluster.
 *
 * @see https://github.com/spiffe/spire-controller-manager/blob/main/docs/clusterstaticentry-crd.md
 */
import type { TrustDomain } from '../../spiffe/id.ts'
import { parseSelector } from '../../spiffe/selector.ts'
import type { EntryFields } from '../entries/entry.ts'
import { entryFields } from './entry-fields.ts'
import {
  inField,
  secondsField,
  textField,
  textsField,
  trustDomainsField,
  truthField,
} from './spec-fields.ts'

/** @throws IdentityError saying which field is wrong, and why */
export function parseClusterStaticEntrySpec(spec: unknown, trustDomain: TrustDomain): EntryFields {
  return entryFields(
    {
      spiffeId: textField(spec, 'spiffeID'),
      parentId: textField(spec, 'parentID'),
      selectors: textsField(spec, 'selectors').map((text) =>
        inField('selectors', () => parseSelector(text)),
      ),
      x509SvidTtlSeconds: secondsField(spec, 'x509SVIDTTL'),
      jwtSvidTtlSeconds: secondsField(spec, 'jwtSVIDTTL'),
      federatesWith: trustDomainsField(spec, 'federatesWith'),
      dnsNames: textsField(spec, 'dnsNames'),
      admin: truthField(spec, 'admin'),
      downstream: truthField(spec, 'downstream'),
      storeSvid: truthField(spec, 'storeSVID'),
      hint: textField(spec, 'hint'),
    },
    trustDomain,
  )
}
