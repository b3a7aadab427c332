/** One Envoy with thousands of policies: each case is a route, or a filter chain, with RBAC filters of its own. */
import type { KeyObject } from 'node:crypto'
import { PATH_NORMALIZATIONS, type PathNormalization } from '../../../policy/normalize-path.ts'
import { ISSUERS } from './drawn-policies.ts'

type Json = Readonly<Record<string, unknown>>

export interface EnvoyMaterial {
  /** PEM. */
  readonly certificate: string
  readonly key: string
  readonly roots: string
  /** Verifies the tokens, ES256. */
  readonly tokenKey: KeyObject
}

export interface HttpCase {
  readonly deny: Json
  readonly allow: Json
}

const type = (name: string) => ({ '@type': `type.googleapis.com/${name}` })
const RBAC = 'envoy.extensions.filters.http.rbac.v3'
const NETWORK_RBAC = 'envoy.extensions.filters.network.rbac.v3.RBAC'

/** The header that chooses the case; no policy speaks of it. */
export const CASE_HEADER = 'x-case'
export const PATH_HEADER = 'x-seen-path'
export const SHADOW_HEADER = 'x-shadow'

const TRIED = ['allow', 'deny']
  .map((action) => `envoy.filters.http.rbac:istio_dry_run_${action}_shadow_engine_result`)
  .map((key) => `%DYNAMIC_METADATA(${key})%`)
  .join(',')

const tls = ({ certificate, key, roots }: EnvoyMaterial): Json => ({
  name: 'tls',
  typed_config: {
    ...type('envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext'),
    common_tls_context: {
      tls_certificates: [
        { certificate_chain: { inline_string: certificate }, private_key: { inline_string: key } },
      ],
      validation_context: { trusted_ca: { inline_string: roots } },
    },
  },
})

const listenerFilters = [
  {
    name: 'proxy_protocol',
    typed_config: type('envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol'),
  },
  {
    name: 'tls_inspector',
    typed_config: type('envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector'),
  },
]

const listener = (name: string, port: number, chains: readonly Json[]): Json => ({
  name,
  address: { socket_address: { address: '127.0.0.1', port_value: port } },
  listener_filters: listenerFilters,
  filter_chains: chains,
})

function routesOf(cases: ReadonlyMap<number, HttpCase>): readonly Json[] {
  const perRoute = (rbac: Json) => ({ ...type(`${RBAC}.RBACPerRoute`), rbac })
  return [...cases].map(([id, { deny, allow }]) => ({
    match: {
      prefix: '/',
      headers: [{ name: CASE_HEADER, string_match: { exact: String(id) } }],
    },
    direct_response: { status: 200 },
    typed_per_filter_config: { deny: perRoute(deny), allow: perRoute(allow) },
  }))
}

const NORMALIZING: Readonly<Record<PathNormalization, Json>> = {
  NONE: { normalize_path: false },
  BASE: { normalize_path: true },
  MERGE_SLASHES: { normalize_path: true, merge_slashes: true },
  DECODE_AND_MERGE_SLASHES: {
    normalize_path: true,
    merge_slashes: true,
    path_with_escaped_slashes_action: 'UNESCAPE_AND_FORWARD',
  },
}

function jwtFilter(tokenKey: KeyObject): Json {
  const jwks = JSON.stringify({ keys: [{ ...tokenKey.export({ format: 'jwk' }), alg: 'ES256' }] })
  const providers = ISSUERS.map((issuer, at) => [
    `issuer-${at}`,
    {
      issuer,
      local_jwks: { inline_string: jwks },
      payload_in_metadata: 'payload',
      normalize_payload_in_metadata: { space_delimited_claims: ['permission', 'scope'] },
    },
  ])
  const anyOf = [
    ...ISSUERS.map((_, at) => ({ provider_name: `issuer-${at}` })),
    { allow_missing: {} },
  ]
  return {
    name: 'envoy.filters.http.jwt_authn',
    typed_config: {
      ...type('envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication'),
      providers: Object.fromEntries(providers),
      rules: [{ match: { prefix: '/' }, requires: { requires_any: { requirements: anyOf } } }],
    },
  }
}

function connectionManager(
  option: PathNormalization,
  cases: ReadonlyMap<number, HttpCase>,
  tokenKey: KeyObject,
): Json {
  const rbac = (name: string) => ({ name, typed_config: type(`${RBAC}.RBAC`) })
  return {
    name: 'http',
    typed_config: {
      ...type('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'),
      stat_prefix: option,
      use_remote_address: true,
      ...NORMALIZING[option],
      // The reason of a refusal is its body.
      local_reply_config: {
        body_format: { text_format: '%RESPONSE_CODE_DETAILS%' },
        mappers: [
          {
            filter: {
              status_code_filter: {
                comparison: { op: 'GE', value: { default_value: 400, runtime_key: 'none' } },
              },
            },
            headers_to_add: [{ header: { key: SHADOW_HEADER, value: TRIED } }],
          },
        ],
      },
      route_config: {
        virtual_hosts: [
          {
            name: 'all',
            domains: ['*'],
            routes: routesOf(cases),
            response_headers_to_add: [
              { header: { key: PATH_HEADER, value: '%REQ(:PATH)%' } },
              { header: { key: SHADOW_HEADER, value: TRIED } },
            ],
          },
        ],
      },
      http_filters: [
        jwtFilter(tokenKey),
        rbac('deny'),
        rbac('allow'),
        {
          name: 'router',
          typed_config: type('envoy.extensions.filters.http.router.v3.Router'),
        },
      ],
    },
  }
}

/** A listener for the cases of each path normalisation; a connection in plaintext has a filter chain of its own. */
export function httpListeners(
  ports: readonly number[],
  cases: readonly (HttpCase & { readonly option: PathNormalization })[],
  material: EnvoyMaterial,
): readonly Json[] {
  return PATH_NORMALIZATIONS.map((option, at) => {
    const chosen = new Map(
      cases.flatMap((one, id) => (one.option === option ? [[id, one] as const] : [])),
    )
    const filters = [connectionManager(option, chosen, material.tokenKey)]
    return listener(option, ports[at] ?? 0, [
      {
        filter_chain_match: { transport_protocol: 'tls' },
        filters,
        transport_socket: tls(material),
      },
      { filter_chain_match: { transport_protocol: 'raw_buffer' }, filters },
    ])
  })
}

/** What the client offers as ALPN chooses the case; whoever is let in hears an echo. */
export function tcpListener(
  port: number,
  cases: readonly HttpCase[],
  material: EnvoyMaterial,
): Json {
  const rbac = (name: string, rules: Json) => ({
    name,
    typed_config: { ...type(NETWORK_RBAC), stat_prefix: name, ...rules },
  })
  return listener(
    'tcp',
    port,
    cases.map(({ deny, allow }, id) => ({
      name: `case-${id}`,
      filter_chain_match: { transport_protocol: 'tls', application_protocols: [`case-${id}`] },
      filters: [
        rbac('deny', deny),
        rbac('allow', allow),
        { name: 'echo', typed_config: type('envoy.extensions.filters.network.echo.v3.Echo') },
      ],
      transport_socket: tls(material),
    })),
  )
}

/** Istio's proxies cut the fragment of a path off, where Envoy alone would refuse the request. */
const RUNTIME = { 'envoy.reloadable_features.http_reject_path_with_fragment': false }

export const bootstrap = (listeners: readonly Json[]): string =>
  JSON.stringify({
    static_resources: { listeners },
    layered_runtime: { layers: [{ name: 'static', static_layer: RUNTIME }] },
  })
