/**
 * Makes the entry that a ClusterSPIFFEID declares for one pod. It is aimed at that pod alone: by its UID as a selector,
 * and by the agent of its node as the parent.
 */

import { IdentityError } from '../../spiffe/error.ts'
import type { SpiffeId, TrustDomain } from '../../spiffe/id.ts'
import { parseSpiffeId, trustDomainOf } from '../../spiffe/id.ts'
import { parseSelector, selector } from '../../spiffe/selector.ts'
import type { EntryFields } from '../entries/entry.ts'
import type { ObjectDocument } from './cluster-objects.ts'
import type { ClusterSpiffeIdSpec } from './cluster-spiffe-id.ts'
import { entryFields } from './entry-fields.ts'
import { specRefusal } from './spec-fields.ts'
import { evaluate } from './template/evaluate.ts'
import { parseTemplate, type Template } from './template/parse-template.ts'
import type { Value } from './template/value.ts'

export interface RenderSettings {
  readonly trustDomain: TrustDomain
  readonly clusterName: string
  /** E.g. `cluster.local`; empty: Services have no name that ends in it. */
  readonly clusterDomain: string
  readonly parentIdTemplate: Template
}

export interface RenderInput {
  readonly uid: string
  readonly namespace: string
  readonly pod: ObjectDocument
  readonly node: ObjectDocument
  /** Services that the pod is ready behind. */
  readonly services: readonly string[]
}

export type Rendered =
  | { readonly kind: 'entry'; readonly fields: EntryFields }
  /** A template failed, or what it gave is no SPIFFE ID or selector. */
  | { readonly kind: 'not-rendered'; readonly reason: string }
  /** The server does not take such an entry. */
  | { readonly kind: 'refused'; readonly reason: string }

const DEFAULT_PARENT_ID_TEMPLATE =
  'spiffe://{{ .TrustDomain }}/spire/agent/k8s_psat/{{ .ClusterName }}/{{ .NodeMeta.UID }}'

export function parseParentIdTemplate(text: string): Template {
  return parseTemplate(text === '' ? DEFAULT_PARENT_ID_TEMPLATE : text)
}

export function renderEntry(
  spec: ClusterSpiffeIdSpec,
  input: RenderInput,
  settings: RenderSettings,
): Rendered {
  const drafted = attempt('not-rendered', () => draftOf(spec, input, settings))
  if (drafted.kind !== 'done') return drafted
  const parsed = attempt('refused', () => entryFields(drafted.value, settings.trustDomain))
  return parsed.kind === 'done' ? { kind: 'entry', fields: parsed.value } : parsed
}

function attempt<K extends 'not-rendered' | 'refused', T>(failure: K, work: () => T) {
  try {
    return { kind: 'done', value: work() } as const
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    return { kind: failure, reason: error.message } as const
  }
}

function draftOf(spec: ClusterSpiffeIdSpec, input: RenderInput, settings: RenderSettings) {
  const { trustDomain } = settings
  // Upstream shows the parent's template the node alone.
  const node = templateData(settings, { node: input.node })
  const data = templateData(settings, input)
  const parentId = renderId('parent ID', settings.parentIdTemplate, node, trustDomain)
  const spiffeId = renderId('SPIFFE ID', spec.spiffeIdTemplate, data, trustDomain)
  const names = spec.dnsNameTemplates.map((template) =>
    rendering('DNS name', () => evaluate(template, data)),
  )
  const services = spec.autoPopulateDnsNames ? serviceNames(input, settings) : []
  const selectors = spec.workloadSelectorTemplates.map((template) =>
    rendering('workload selector', () => parseSelector(evaluate(template, data))),
  )
  return {
    spiffeId,
    parentId,
    selectors: [selector('k8s', `pod-uid:${input.uid}`), ...selectors],
    x509SvidTtlSeconds: spec.x509SvidTtlSeconds,
    jwtSvidTtlSeconds: spec.jwtSvidTtlSeconds,
    federatesWith: spec.federatesWith,
    dnsNames: [...new Set([...names, ...services])],
    admin: spec.admin,
    downstream: spec.downstream,
    storeSvid: false,
    hint: spec.hint,
  }
}

function templateData(
  { trustDomain, clusterName, clusterDomain }: RenderSettings,
  { pod, node }: { readonly pod?: ObjectDocument; readonly node: ObjectDocument },
): Value {
  return {
    type: { kind: 'struct', name: 'TemplateData' },
    data: {
      ...{ trustDomain, clusterName, clusterDomain },
      ...{ nodeMeta: node.metadata, nodeSpec: node.spec },
      ...(pod === undefined ? {} : { podMeta: pod.metadata, podSpec: pod.spec }),
    },
  }
}

function renderId(
  what: string,
  template: Template,
  data: Value,
  trustDomain: TrustDomain,
): SpiffeId {
  return rendering(what, () => {
    const id = parseSpiffeId(evaluate(template, data))
    if (trustDomainOf(id) === trustDomain) return id
    throw specRefusal(`expected trust domain "${trustDomain}" but got "${trustDomainOf(id)}"`)
  })
}

function rendering<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    throw new IdentityError(error.code, `failed to render ${what}: ${error.message}`)
  }
}

function serviceNames(
  { services, namespace }: RenderInput,
  { clusterDomain }: RenderSettings,
): readonly string[] {
  return services
    .flatMap((name) => {
      const inNamespace = `${name}.${namespace}`
      const plain = [name, inNamespace, `${inNamespace}.svc`]
      return clusterDomain === '' ? plain : [...plain, `${inNamespace}.svc.${clusterDomain}`]
    })
    .sort()
}
