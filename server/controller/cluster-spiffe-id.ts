/**
 * ClusterSPIFFEID: which pods get which identity. A spec is read once, its templates are parsed then; one that cannot be
 * read registers nothing, and says why.
 *
 * @see https://github.com/spiffe/spire-controller-manager/blob/main/docs/clusterspiffeid-crd.md
 */
import type { TrustDomain } from '../../spiffe/id.ts'
import { type LabelSelector, parseLabelSelector } from './label-selector.ts'
import {
  inField,
  secondsField,
  specRefusal,
  textField,
  textsField,
  trustDomainsField,
  truthField,
} from './spec-fields.ts'
import { parseTemplate, type Template } from './template/parse-template.ts'

export interface ClusterSpiffeIdSpec {
  readonly spiffeIdTemplate: Template
  readonly namespaceSelector: LabelSelector
  readonly podSelector: LabelSelector
  readonly x509SvidTtlSeconds: number
  readonly jwtSvidTtlSeconds: number
  readonly federatesWith: readonly TrustDomain[]
  readonly dnsNameTemplates: readonly Template[]
  readonly workloadSelectorTemplates: readonly Template[]
  readonly admin: boolean
  readonly downstream: boolean
  readonly autoPopulateDnsNames: boolean
  /** Only for pods to which no other one applies. */
  readonly isFallback: boolean
  readonly hint: string
}

/** @throws IdentityError saying which field is wrong, and why */
export function parseClusterSpiffeIdSpec(spec: unknown): ClusterSpiffeIdSpec {
  const spiffeIdTemplate = textField(spec, 'spiffeIDTemplate')
  if (spiffeIdTemplate === '') throw specRefusal('empty SPIFFEID template')
  const selector = (field: 'namespaceSelector' | 'podSelector') =>
    inField(field, () => parseLabelSelector((spec as Record<string, unknown>)[field])) // it has a template, so it is an object
  const templates = (field: string) =>
    textsField(spec, field).map((text) => inField(field, () => parseTemplate(text)))
  return {
    spiffeIdTemplate: inField('spiffeIDTemplate', () => parseTemplate(spiffeIdTemplate)),
    namespaceSelector: selector('namespaceSelector'),
    podSelector: selector('podSelector'),
    x509SvidTtlSeconds: secondsField(spec, 'ttl'),
    jwtSvidTtlSeconds: secondsField(spec, 'jwtTtl'),
    federatesWith: trustDomainsField(spec, 'federatesWith'),
    dnsNameTemplates: templates('dnsNameTemplates'),
    workloadSelectorTemplates: templates('workloadSelectorTemplates'),
    admin: truthField(spec, 'admin'),
    downstream: truthField(spec, 'downstream'),
    autoPopulateDnsNames: truthField(spec, 'autoPopulateDNSNames'),
    isFallback: truthField(spec, 'fallback'),
    hint: textField(spec, 'hint'),
  }
}
