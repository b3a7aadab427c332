import { describe, expect, test } from 'vitest'
import { readDocument } from '../../../server/controller/cluster-objects.ts'
import { parseClusterSpiffeIdSpec } from '../../../server/controller/cluster-spiffe-id.ts'
import {
  parseParentIdTemplate,
  type RenderInput,
  type RenderSettings,
  renderEntry,
} from '../../../server/controller/render-entry.ts'
import { node, pod, settings } from './cluster.ts'

const ID =
  'spiffe://{{ .TrustDomain }}/ns/{{ .PodMeta.Namespace }}/sa/{{ .PodSpec.ServiceAccountName }}'

const input: RenderInput = {
  ...{ uid: 'u1', namespace: 'shop', services: ['cart', 'all'] },
  pod: readDocument(pod('shop', 'cart-1', 'u1', 'one', { app: 'cart' }).document),
  node: readDocument(node('one', { zone: 'z' }).document),
}

const render = (spec: object, changed: Partial<RenderSettings> = {}) =>
  renderEntry(parseClusterSpiffeIdSpec({ spiffeIDTemplate: ID, ...spec }), input, {
    ...settings,
    ...changed,
  })

const fieldsOf = (spec: object, changed: Partial<RenderSettings> = {}) => {
  const rendered = render(spec, changed)
  if (rendered.kind !== 'entry') throw new Error(rendered.reason)
  return rendered.fields
}

describe('an entry', () => {
  test('is for one pod under the agent of its node, and has what the spec says', () => {
    const spec = {
      ...{ ttl: '1h0m0.9s', jwtTtl: '90s', hint: 'h', admin: true, downstream: true },
      federatesWith: ['b.test', 'spiffe://a.test', 'b.test'],
      workloadSelectorTemplates: ['k8s:ns:{{ .PodMeta.Namespace }}', 'k8s:container-image:a:b'],
    }
    expect(fieldsOf(spec)).toMatchObject({
      spiffeId: 'spiffe://example.org/ns/shop/sa/sa',
      parentId: 'spiffe://example.org/spire/agent/k8s_psat/cluster-a/uid-of-one',
      selectors: ['k8s:pod-uid:u1', 'k8s:ns:shop', 'k8s:container-image:a:b'],
      ...{ x509SvidTtlSeconds: 3_600, jwtSvidTtlSeconds: 90, hint: 'h', admin: true },
      ...{ downstream: true, storeSvid: false, federatesWith: ['b.test', 'a.test'], dnsNames: [] },
    })
  })
  test('has the names of Services behind those of the templates, each once', () => {
    const spec = {
      autoPopulateDNSNames: true,
      dnsNameTemplates: ['z.{{ .ClusterDomain }}', 'cart'],
    }
    expect(fieldsOf(spec).dnsNames).toEqual([
      ...['z.cluster.local', 'cart', 'all', 'all.shop', 'all.shop.svc'],
      ...[
        'all.shop.svc.cluster.local',
        'cart.shop',
        'cart.shop.svc',
        'cart.shop.svc.cluster.local',
      ],
    ])
    expect(fieldsOf({ autoPopulateDNSNames: true }, { clusterDomain: '' }).dnsNames).toHaveLength(6)
  })
  test('has a parent of the configured template, which sees the node alone', () => {
    const of = (text: string) => ({ parentIdTemplate: parseParentIdTemplate(text) })
    const zone = of('spiffe://{{ .TrustDomain }}/zone/{{ .NodeMeta.Labels.zone }}')
    expect(fieldsOf({}, zone).parentId).toBe('spiffe://example.org/zone/z')
    const podless = render({}, of('spiffe://{{ .TrustDomain }}/{{ .PodMeta.Name }}'))
    expect(podless).toMatchObject({ kind: 'not-rendered' })
  })
})

describe('is not rendered', () => {
  test.for([
    [
      'an ID that is none',
      { spiffeIDTemplate: 'x' },
      'failed to render SPIFFE ID: not a SPIFFE ID',
    ],
    [
      'an ID with a label that is missing',
      { spiffeIDTemplate: 'spiffe://example.org/{{ .PodMeta.Labels.x }}' },
      'failed to render SPIFFE ID',
    ],
    [
      'an ID of another trust domain',
      { spiffeIDTemplate: 'spiffe://other.test/x' },
      'expected trust domain "example.org" but got "other.test"',
    ],
    [
      'a field that there is not',
      { dnsNameTemplates: ['{{ .PodMeta.X }}'] },
      "failed to render DNS name: can't evaluate field X",
    ],
    [
      'a selector without a value',
      { workloadSelectorTemplates: ['k8s'] },
      'failed to render workload selector',
    ],
  ] as const)('%s', ([, spec, why]) => {
    const rendered = render(spec)
    expect(rendered).toMatchObject({ kind: 'not-rendered' })
    expect(JSON.stringify(rendered)).toContain(why.replaceAll('"', '\\"'))
  })
})

describe('is refused, as the Entry API refuses it', () => {
  test.for([
    [
      'a reserved ID',
      { spiffeIDTemplate: 'spiffe://example.org/spire/server' },
      'reserved namespace',
    ],
    [
      'the ID of the trust domain itself',
      { spiffeIDTemplate: 'spiffe://example.org' },
      'path is empty',
    ],
    ['a name that no certificate may carry', { dnsNameTemplates: ['a b'] }, 'invalid DNS name'],
    ['a hint that is too long', { hint: 'x'.repeat(2_000) }, 'hint is too long'],
  ] as const)('%s', ([, spec, why]) => {
    const rendered = render(spec)
    expect(rendered).toMatchObject({ kind: 'refused' })
    expect(JSON.stringify(rendered)).toContain(why)
  })
})
