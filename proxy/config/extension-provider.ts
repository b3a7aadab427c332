/** One external provider of authorization in proxy.conf: its keys, in the words of Istio's `extensionProviders`. */
import { upstreamAddress } from '../../config/address.ts'
import {
  optional,
  placeOf,
  type Read,
  refine,
  required,
  section,
  withDefault,
} from '../../config/check.ts'
import { addMistake } from '../../config/mistake.ts'
import { type Named, textMap } from '../../config/named.ts'
import {
  choice,
  listOf,
  milliseconds,
  textLike,
  truth,
  type Value,
  value,
  whole,
} from '../../config/value.ts'
import { mayGoOn } from '../ext-authz/answer-headers.ts'
import { type NamePattern, parseNamePattern } from '../ext-authz/name-pattern.ts'
import type { ExtAuthzProvider } from '../ext-authz/provider.ts'
import { areWritable } from '../http/writable-edits.ts'

function namePattern(): Value<NamePattern> {
  return value((node) => {
    const pattern = node.kind === 'string' ? parseNamePattern(node.value) : undefined
    return pattern === undefined
      ? { kind: 'wrong', message: 'is no name of a header' }
      : { kind: 'value', value: pattern }
  }, 'a name such as x-user, or x-user-*, or *-user')
}

const names = listOf(namePattern(), 'names of headers')

/** Like Istio's default, which is long: a provider that hangs is better bounded here. */
const TIMEOUT = '10m'

const keys = section({
  address: required(upstreamAddress(), 'where the provider listens'),
  fail_open: withDefault(truth(), 'false', 'let requests pass when the provider cannot be asked'),
  headers_to_downstream_on_deny: optional(
    names,
    'http: headers of a refusal that the caller gets; all when left out',
  ),
  headers_to_upstream_on_allow: withDefault(
    names,
    '[]',
    'http: headers of an agreeing answer that the workload gets in the place of the request’s',
  ),
  include_additional_headers_in_check: optional(
    textMap('headers and their values'),
    'http: headers that the provider gets in the place of the request’s',
  ),
  include_request_headers_in_check: withDefault(
    names,
    '[]',
    'http: headers of the request that the provider sees beside host and authorization',
  ),
  path_prefix: optional(
    textLike(/^\/[A-Za-z0-9\-._~!$&'()+,;=:@%/]*$/, 'a path'),
    'http: put before the path of the request',
  ),
  protocol: required(
    choice(['grpc', 'http']),
    'grpc: envoy.service.auth.v3; http: a plain request',
  ),
  status_on_error: withDefault(
    whole(400, 599, 'a status from 400 to 599'),
    '403',
    'answered when the provider cannot be asked',
  ),
  timeout: withDefault(milliseconds(), TIMEOUT, 'how long one question may take'),
})

const HTTP_ONLY = [
  'headers_to_downstream_on_deny',
  'include_additional_headers_in_check',
  'path_prefix',
] as const

export const extensionProvider = refine(keys, (read, { report }) => {
  const wrong = (key: string, message: string, expected: string) =>
    addMistake(report, placeOf(read, key), message, expected)
  const lists = [read.headers_to_upstream_on_allow, read.include_request_headers_in_check]
  if (read.protocol === 'grpc') {
    for (const key of HTTP_ONLY) {
      if (read[key] !== undefined)
        wrong(key, `${key} is for the protocol http`, 'it to be left out')
    }
    if (lists.some((list) => (list ?? []).length > 0)) {
      const message = 'a provider with the protocol grpc sees all headers and may change any'
      wrong('protocol', message, 'lists of headers to be left out')
    }
  }
  for (const line of Object.entries(read.include_additional_headers_in_check ?? {})) {
    const [name] = line
    if (mayGoOn(name.toLowerCase()) && areWritable({ path: undefined, remove: [], add: [line] })) {
      continue
    }
    const key = 'include_additional_headers_in_check'
    wrong(key, `${JSON.stringify(name)} is no header that may be sent`, 'a header and its value')
  }
  return {}
})

type ReadProvider = Named<Read<(typeof keys)['keys']>>

export function providerOf(read: ReadProvider): ExtAuthzProvider {
  const shared = {
    name: read.name,
    address: read.address,
    timeoutMs: read.timeout,
    failOpen: read.fail_open,
    statusOnError: read.status_on_error,
  }
  if (read.protocol === 'grpc') return { ...shared, protocol: 'grpc' }
  const added = Object.entries(read.include_additional_headers_in_check ?? {})
  return {
    ...shared,
    protocol: 'http',
    pathPrefix: (read.path_prefix ?? '').replace(/\/$/, ''),
    includeRequestHeaders: read.include_request_headers_in_check,
    includeAdditionalHeaders: added.map(([name, text]) => [name.toLowerCase(), text] as const),
    headersToUpstreamOnAllow: read.headers_to_upstream_on_allow,
    headersToDownstreamOnDeny: read.headers_to_downstream_on_deny,
  }
}
