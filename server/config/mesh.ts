/** `mesh { istio_ca { … } linkerd { … } }`: for which service meshes this server issues certificates, and by what rule. */

import {
  nest,
  optional,
  placeOf,
  type Read,
  refine,
  section,
  withDefault,
} from '../../config/check.ts'
import { ifWritten } from '../../config/if-written.ts'
import { namespaceName } from '../../config/kubernetes-name.ts'
import { addMistake, addRefusal, addWarning, type Report } from '../../config/mistake.ts'
import { named } from '../../config/named.ts'
import {
  choice,
  host,
  listOf,
  port,
  seconds,
  text,
  textLike,
  truth,
  value,
} from '../../config/value.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { checkDnsName } from '../entries/dns-name.ts'
import type { IstioCaConfig } from '../mesh/istio-ca/open-istio-ca.ts'
import { servingIdentity } from '../mesh/linkerd/linkerd-identity.ts'
import type { LinkerdConfig } from '../mesh/linkerd/open-linkerd.ts'
import type { MeshConfig } from '../mesh/open-mesh.ts'
import { ttlWarning } from './ttl-warnings.ts'

const DNS_NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/
const NODE_ACCOUNT = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\/[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/

const ISTIO_AUDIENCE = 'istio-ca'
const ZTUNNEL = 'istio-system/ztunnel'
const ISTIOD = 'istiod.istio-system.svc'
const LINKERD_AUDIENCE = 'identity.l5d.io'

const kubeconfig = () =>
  optional(
    text('a path'),
    'kubeconfig of the cluster; that of the pod’s service account when left out',
  )

/** Wildcards are no names of a server. */
const dnsName = () =>
  value<string>((node) => {
    const written = node.kind === 'string' ? node.value : ''
    try {
      checkDnsName(written)
    } catch (error) {
      if (!(error instanceof IdentityError)) throw error
      return { kind: 'wrong', message: `is ${JSON.stringify(written)}: ${error.message}` }
    }
    if (!written.includes('*')) return { kind: 'value', value: written }
    return { kind: 'wrong', message: `is ${JSON.stringify(written)}, which has a wildcard` }
  }, 'a DNS name')

const istioSection = section({
  bind_address: withDefault(host(), '0.0.0.0', 'address that sidecars and ztunnels connect to'),
  bind_port: withDefault(port(), '15012', 'port that sidecars and ztunnels connect to'),
  clusters: nest(
    named(section({ kube_config_file: kubeconfig() })),
    'clusters whose service accounts may ask, by the ID that their proxies send; at least one',
  ),
  default_ttl: withDefault(seconds(), '24h', 'life of a certificate whose proxy asks for none'),
  dns_names: optional(
    listOf(dnsName(), 'DNS names'),
    `names of the serving certificate; ${ISTIOD} when left out`,
  ),
  local_cluster: optional(
    text(),
    'cluster of proxies that send no ID; the only one, if there is one, when left out',
  ),
  max_ttl: withDefault(seconds(), '2160h', 'longest life of a certificate; longer ones are cut'),
  registration: withDefault(
    choice(['off', 'entries']),
    'off',
    'whether every service account gets its identity, or those that a registration entry allows',
  ),
  token_audiences: optional(
    listOf(text(), 'audiences'),
    `whom tokens are made for, one of them; ${ISTIO_AUDIENCE} when left out`,
  ),
  trusted_node_accounts: optional(
    listOf(
      textLike(NODE_ACCOUNT, 'namespace/name'),
      'service accounts such as istio-system/ztunnel',
    ),
    `who may ask for the identities of pods on its node; ${ZTUNNEL} when left out`,
  ),
})

const istioCa = refine(ifWritten(istioSection), (read, { report }) => {
  const names = (read.clusters ?? []).map(({ name }) => name)
  if (names.length === 0) {
    addMistake(
      report,
      placeOf(read, 'clusters'),
      'mesh.istio_ca.clusters is missing',
      'a block for each cluster',
    )
  }
  const { local_cluster: local, token_audiences: audiences, dns_names: dnsNames } = read
  if (local !== undefined && !names.includes(local)) {
    const message = `mesh.istio_ca.local_cluster is ${JSON.stringify(local)}`
    addMistake(report, placeOf(read, 'local_cluster'), message, `one of ${names.join(', ')}`)
  }
  // Without an audience, any token that reaches us would do, and we could use it elsewhere.
  for (const [key, list] of [
    ['token_audiences', audiences],
    ['dns_names', dnsNames],
  ] as const) {
    if (list === undefined || list.length > 0) continue
    addMistake(report, placeOf(read, key), `mesh.istio_ca.${key} is empty`, 'at least one')
  }
  return {}
})

const linkerdSection = section({
  add_spiffe_id: withDefault(
    truth(),
    'false',
    'also name spiffe://<trust domain>/ns/<namespace>/sa/<service account> in each certificate',
  ),
  accept_api_server_tokens: withDefault(
    truth(),
    'true',
    'also take tokens that are made for the API server itself, as Linkerd does',
  ),
  bind_address: withDefault(host(), '0.0.0.0', 'address that proxies connect to'),
  bind_port: withDefault(port(), '8080', 'port that proxies connect to'),
  control_plane_namespace: withDefault(
    namespaceName(),
    'linkerd',
    'namespace of Linkerd’s control plane, a part of every identity',
  ),
  issuance_lifetime: withDefault(seconds(), '24h', 'life of a certificate'),
  issuer_ttl: optional(
    seconds(),
    'life of the intermediate that signs; ca_ttl of the server when left out',
  ),
  kube_config_file: kubeconfig(),
  token_audiences: optional(
    listOf(text(), 'audiences'),
    `whom tokens are made for, one of them; ${LINKERD_AUDIENCE} when left out`,
  ),
  trust_domain: withDefault(
    textLike(DNS_NAME, 'a DNS name'),
    'cluster.local',
    'suffix of every identity, which Linkerd calls its trust domain',
  ),
})

const linkerd = refine(ifWritten(linkerdSection), (read, { report }) => {
  if (read.token_audiences?.length === 0) {
    const message = 'mesh.linkerd.token_audiences is empty'
    addMistake(report, placeOf(read, 'token_audiences'), message, 'at least one')
  }
  const { control_plane_namespace: controlPlaneNamespace, trust_domain: trustDomain } = read
  if (controlPlaneNamespace === undefined || trustDomain === undefined) return undefined
  const naming = { controlPlaneNamespace, trustDomain }
  try {
    checkDnsName(servingIdentity(naming))
  } catch (error) {
    addRefusal(
      report,
      placeOf(read, 'trust_domain'),
      'mesh.linkerd.trust_domain makes no DNS name',
      error,
    )
  }
  return { naming }
})

export const mesh = section({
  istio_ca: optional(istioCa, 'the CA of Istio’s sidecars and ztunnels'),
  linkerd: optional(linkerd, 'the identity service of Linkerd’s proxies'),
})

/** @param caTtlSeconds of the server: no certificate outlives its authority, of which there is a warning */
export function meshConfig(
  read: Read<(typeof mesh)['keys']>,
  caTtlSeconds: number,
  report: Report,
): MeshConfig {
  const { istio_ca: istio, linkerd: other } = read
  for (const [section, key, seconds] of [
    [istio, 'default_ttl', istio?.default_ttl],
    [other, 'issuance_lifetime', other?.issuance_lifetime],
  ] as const) {
    if (section === undefined || seconds === undefined) continue
    const warning = ttlWarning(`mesh ${key}`, seconds, caTtlSeconds)
    if (warning !== undefined) addWarning(report, placeOf(section, key), warning)
  }
  return { istioCa: istioCaConfig(read.istio_ca), linkerd: linkerdConfig(read.linkerd) }
}

function istioCaConfig(read: Read<(typeof mesh)['keys']>['istio_ca']): IstioCaConfig | undefined {
  if (read === undefined) return undefined
  const [only, ...others] = read.clusters
  return {
    bindAddress: read.bind_address,
    bindPort: read.bind_port,
    dnsNames: read.dns_names ?? [ISTIOD],
    clusters: read.clusters.map(({ name, kube_config_file }) => ({
      name,
      kubeconfig: kube_config_file,
    })),
    localCluster: read.local_cluster ?? (others.length === 0 ? only?.name : undefined),
    tokenAudiences: read.token_audiences ?? [ISTIO_AUDIENCE],
    trustedNodeAccounts: read.trusted_node_accounts ?? [ZTUNNEL],
    registration: read.registration,
    defaultTtlSeconds: read.default_ttl,
    maxTtlSeconds: read.max_ttl,
  }
}

function linkerdConfig(read: Read<(typeof mesh)['keys']>['linkerd']): LinkerdConfig | undefined {
  if (read === undefined) return undefined
  return {
    bindAddress: read.bind_address,
    bindPort: read.bind_port,
    kubeconfig: read.kube_config_file,
    naming: read.naming,
    tokenAudiences: read.token_audiences ?? [LINKERD_AUDIENCE],
    takesApiServerTokens: read.accept_api_server_tokens,
    issuanceLifetimeSeconds: read.issuance_lifetime,
    issuerTtlSeconds: read.issuer_ttl ?? 0,
    addsSpiffeId: read.add_spiffe_id,
  }
}
