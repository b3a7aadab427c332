/**
 * What becomes of a pod that is to have a proxy: the changes, or why there are none. Pure, and the same again for a pod that has
 * been changed already. Fails closed: a pod that could not be protected is refused, and not started without its proxy.
 */
import { isRecord, listAt, numberAt, recordAt, textAt, textsAt } from '../../kubernetes/object.ts'
import { parseIpBlock } from '../../policy/ip-block.ts'
import type { JsonPatchOperation } from '../admission/routes.ts'
import {
  EXCLUDED_PORTS,
  INJECT_LABEL,
  type InjectionConfig,
  PLAINTEXT_ADDRESSES,
  PORTS,
  PROXY_CONFIG,
  PROXY_CONTAINER,
  RULES_CONTAINER,
} from './injection-config.ts'
import { proxyConfig } from './proxy-config.ts'
import { rewriteProbes } from './rewrite-probes.ts'
import { proxyContainer, rulesContainer, VOLUME_NAMES, volumes } from './sidecar.ts'

export type Injection =
  | {
      readonly kind: 'patch'
      readonly patch: readonly JsonPatchOperation[]
      readonly warnings: readonly string[]
    }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refused'; readonly message: string }

const OPT_OUT = `or label the pod ${INJECT_LABEL}: disabled`
const MAX_PORT = 65_535
/** Of one annotation. */
const MAX_LISTED = 1_000

export function inject(pod: unknown, config: InjectionConfig): Injection {
  const metadata = recordAt(pod, 'metadata')
  const annotations = textsAt(metadata, 'annotations')
  if (textsAt(metadata, 'labels')[INJECT_LABEL] === 'disabled') return { kind: 'unchanged' }
  const spec = recordAt(pod, 'spec')
  const names = listAt(spec, 'initContainers').map((one) => textAt(one, 'name'))
  if (names.includes(PROXY_CONTAINER) && annotations[PROXY_CONFIG] !== undefined) {
    return { kind: 'unchanged' }
  }
  const excluded = readPorts(annotations[EXCLUDED_PORTS] ?? '')
  const plaintext = readAddresses(annotations[PLAINTEXT_ADDRESSES] ?? '')
  const message =
    wrongWithPod(spec, config) ??
    ('why' in excluded ? excluded.why : undefined) ??
    ('why' in plaintext ? plaintext.why : undefined)
  if (message !== undefined) return { kind: 'refused', message }
  const ports = 'ports' in excluded ? excluded.ports : []
  const addresses = 'addresses' in plaintext ? plaintext.addresses : []
  const { patch, blocks, warnings } = rewriteProbes(pod)
  const text = proxyConfig(config, { probes: blocks, plaintextAddresses: addresses })
  const isIdle = config.meshAddresses.length === 0 && addresses.length > 0
  const idle = `${PLAINTEXT_ADDRESSES} changes nothing: no address is of the mesh`
  return {
    kind: 'patch',
    patch: [
      // First what speaks of positions in the pod as it came.
      ...patch,
      ...annotate(metadata, text),
      ...putFirst(spec, [rulesContainer(config, ports), proxyContainer(config)]),
      ...append(spec, volumes(config)),
    ],
    warnings: isIdle ? [...warnings, idle] : warnings,
  }
}

/** Why this pod cannot have a proxy; undefined when it can. */
function wrongWithPod(spec: unknown, { proxyUid }: InjectionConfig): string | undefined {
  if (isRecord(spec) && spec.hostNetwork === true) {
    const why = 'the pod uses the network of its node, whose connections would all be redirected'
    return `${why}; remove hostNetwork, ${OPT_OUT}`
  }
  const os = textAt(recordAt(spec, 'os'), 'name') ?? 'linux'
  if (os !== 'linux') return `the pod is for ${os}, expected linux; ${OPT_OUT.slice(3)}`
  const containers = [...listAt(spec, 'initContainers'), ...listAt(spec, 'containers')]
  const taken = containers
    .map((one) => textAt(one, 'name'))
    .find((name) => name === PROXY_CONTAINER || name === RULES_CONTAINER)
  if (taken !== undefined)
    return `a container has the name ${taken}, which is the proxy's; rename it`
  const volume = listAt(spec, 'volumes')
    .map((one) => textAt(one, 'name') ?? '')
    .find((name) => VOLUME_NAMES.includes(name))
  if (volume !== undefined)
    return `a volume has the name ${volume}, which is the proxy's; rename it`
  // They come with the injection, and then they would be there for whoever named them before.
  const mount = containers
    .flatMap((one) => listAt(one, 'volumeMounts'))
    .map((one) => textAt(one, 'name') ?? '')
    .find((name) => VOLUME_NAMES.includes(name))
  if (mount !== undefined) return `a container mounts the volume ${mount}, which is the proxy's`
  const own: readonly number[] = Object.values(PORTS)
  const port = containers
    .flatMap((one) => listAt(one, 'ports'))
    .map((one) => numberAt(one, 'containerPort') ?? 0)
    .find((number) => own.includes(number))
  if (port !== undefined) {
    return `a container has the port ${port}, which is the proxy's; choose another, ${OPT_OUT}`
  }
  const users = [spec, ...containers].map((one) =>
    numberAt(recordAt(one, 'securityContext'), 'runAsUser'),
  )
  if (!users.includes(proxyUid)) return undefined
  const why = `a container runs as user ${proxyUid}, whose connections pass by the proxy`
  return `${why}; choose another user, ${OPT_OUT}`
}

function readPorts(text: string): { readonly ports: readonly number[] } | { readonly why: string } {
  const written = listed(text)
  const wrong = written.find((one) => !/^[1-9]\d{0,4}$/.test(one) || Number(one) > MAX_PORT)
  if (wrong === undefined && written.length <= MAX_LISTED) return { ports: written.map(Number) }
  const seen = wrong === undefined ? `${written.length} ports` : JSON.stringify(wrong.slice(0, 50))
  return { why: `the annotation ${EXCLUDED_PORTS} has ${seen}, expected ports such as 9090,9091` }
}

function readAddresses(
  text: string,
): { readonly addresses: readonly string[] } | { readonly why: string } {
  const written = listed(text)
  const wrong = written.find((one) => parseIpBlock(one) === undefined)
  if (wrong === undefined && written.length <= MAX_LISTED) return { addresses: written }
  const seen =
    wrong === undefined ? `${written.length} addresses` : JSON.stringify(wrong.slice(0, 50))
  const expected = 'expected addresses or blocks of them, such as 10.0.0.7,10.1.0.0/16'
  return { why: `the annotation ${PLAINTEXT_ADDRESSES} has ${seen}, ${expected}` }
}

const listed = (text: string): readonly string[] =>
  text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')

function annotate(metadata: unknown, text: string): readonly JsonPatchOperation[] {
  const key = PROXY_CONFIG.replaceAll('~', '~0').replaceAll('/', '~1')
  const has = isRecord(metadata) && isRecord(metadata.annotations)
  return has
    ? [{ op: 'add', path: `/metadata/annotations/${key}`, value: text }]
    : [{ op: 'add', path: '/metadata/annotations', value: { [PROXY_CONFIG]: text } }]
}

function putFirst(spec: unknown, containers: readonly object[]): readonly JsonPatchOperation[] {
  const path = '/spec/initContainers'
  if (listAt(spec, 'initContainers').length === 0) return [{ op: 'add', path, value: containers }]
  return containers.map((value, index) => ({ op: 'add', path: `${path}/${index}`, value }))
}

function append(spec: unknown, all: readonly object[]): readonly JsonPatchOperation[] {
  const path = '/spec/volumes'
  if (listAt(spec, 'volumes').length === 0) return [{ op: 'add', path, value: all }]
  return all.map((value) => ({ op: 'add', path: `${path}/-`, value }))
}
