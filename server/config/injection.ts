/** `sidecar_injection { … }`: that this server’s webhooks put proxies into pods, and what stands in them. */

import { optional, type Read, required, section, withDefault } from '../../config/check.ts'
import { collectorEndpoint, samplingPercent } from '../../config/collector.ts'
import { ifWritten } from '../../config/if-written.ts'
import { namespaceName } from '../../config/kubernetes-name.ts'
import {
  choice,
  listOf,
  port,
  text,
  textLike,
  truth,
  type Value,
  value,
  whole,
} from '../../config/value.ts'
import { parseIpBlock } from '../../policy/ip-block.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import type { InjectionConfig } from '../injection/injection-config.ts'

const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,100}$/
const QUANTITY = /^\d+(?:\.\d+)?(?:m|[kKMGTPE]i?)?$/
const IMAGE = /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,511}$/
const ABSOLUTE = /^\/[^\0]*$/
const MAX_UID = 65_534

function ipBlock(): Value<string> {
  return value((node) => {
    const written = node.kind === 'string' ? node.value : ''
    return parseIpBlock(written) === undefined
      ? { kind: 'wrong', message: 'is no address and no block of addresses' }
      : { kind: 'value', value: written }
  }, 'an address or a block of addresses')
}

const quantity = () => textLike(QUANTITY, 'a quantity such as 100m or 128Mi')
const addresses = (about: string) =>
  withDefault(listOf(ipBlock(), 'addresses and blocks of addresses'), '[]', about)

const tracing = section({
  otlp_endpoint: required(
    collectorEndpoint(),
    'collector of all proxies that takes OTLP over HTTP, in JSON',
  ),
  sampling: withDefault(
    samplingPercent(),
    '1',
    'share of the traces that begin at a proxy and are kept; a caller’s own decision holds',
  ),
})

const keys = section({
  access_log: withDefault(truth(), 'false', 'whether proxies log each request'),
  agent_socket_dir: optional(
    textLike(ABSOLUTE, 'an absolute path'),
    'directory of each node with the Workload API’s socket',
  ),
  agent_socket_name: withDefault(
    textLike(FILE_NAME, 'the name of a file'),
    'api.sock',
    'name of that socket',
  ),
  cpu_limit: optional(quantity(), 'of each proxy; none when left out'),
  cpu_request: withDefault(quantity(), '50m', 'of each proxy'),
  csi_driver: optional(
    text('the name of a driver'),
    'driver that mounts the socket, such as csi.spiffe.io, instead of agent_socket_dir',
  ),
  excluded_inbound_ports: withDefault(
    listOf(port(), 'ports'),
    '[]',
    'ports of all workloads that are reached without the proxy',
  ),
  image: required(textLike(IMAGE, 'the name of an image'), 'image of Steeple'),
  image_pull_policy: withDefault(
    choice(['Always', 'IfNotPresent', 'Never']),
    'IfNotPresent',
    'when nodes fetch it',
  ),
  ip_family: withDefault(choice(['ipv4', 'ipv6']), 'ipv4', 'addresses that pods have'),
  log_level: withDefault(choice(['DEBUG', 'INFO', 'WARN', 'ERROR']), 'INFO', 'of each proxy'),
  memory_limit: withDefault(quantity(), '512Mi', 'of each proxy'),
  memory_request: withDefault(quantity(), '128Mi', 'of each proxy'),
  mesh_addresses: addresses(
    'pods and Services that have proxies: connections to them are mutual TLS',
  ),
  plaintext_addresses: addresses('those among them that have none, such as the API server'),
  proxy_uid: withDefault(
    whole(1, MAX_UID, `a number from 1 to ${MAX_UID}`),
    '1337',
    'user of the proxy, whose connections are not redirected',
  ),
  root_namespace: withDefault(
    namespaceName(),
    'istio-system',
    'namespace whose policies govern all others',
  ),
  tracing: optional(ifWritten(tracing), 'spans of the requests that proxies carry'),
})

export const injection = ifWritten(keys)

/** @throws IdentityError CONFIG_INVALID for keys that cannot both hold, or without a webhook that could be asked */
export function injectionConfig(
  read: Read<(typeof keys)['keys']> | undefined,
  trustDomain: TrustDomain,
  hasMutatingWebhook: boolean,
): InjectionConfig | undefined {
  if (read === undefined) return undefined
  const { agent_socket_dir: directory, csi_driver: driver } = read
  if ((directory === undefined) === (driver === undefined)) {
    const seen = directory === undefined ? 'neither' : 'both'
    throw invalid(`has ${seen} of agent_socket_dir and csi_driver (expected one of them)`)
  }
  if (!hasMutatingWebhook) {
    const expected =
      'controller_manager { webhook { … } } with the name of a mutating configuration'
    throw invalid(`is asked by nobody (expected ${expected})`)
  }
  return {
    ...{ image: read.image, imagePullPolicy: read.image_pull_policy, trustDomain },
    identity:
      driver === undefined
        ? { kind: 'host_path', directory: directory ?? '' }
        : { kind: 'csi', driver },
    ...{ socketName: read.agent_socket_name, rootNamespace: read.root_namespace },
    ...{ meshAddresses: read.mesh_addresses, plaintextAddresses: read.plaintext_addresses },
    ...{ excludedInboundPorts: read.excluded_inbound_ports, proxyUid: read.proxy_uid },
    ...{ ipFamily: read.ip_family, hasAccessLog: read.access_log, logLevel: read.log_level },
    tracing: tracingOf(read.tracing),
    requests: { cpu: read.cpu_request, memory: read.memory_request },
    limits: { cpu: read.cpu_limit, memory: read.memory_limit },
  }
}

function tracingOf(read: Read<(typeof tracing)['keys']> | undefined): InjectionConfig['tracing'] {
  if (read === undefined) return undefined
  return { otlpEndpoint: read.otlp_endpoint.url, samplingPercent: read.sampling }
}

function invalid(message: string): IdentityError {
  return new IdentityError('CONFIG_INVALID', `sidecar_injection ${message}`)
}
