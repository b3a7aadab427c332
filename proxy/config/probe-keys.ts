/** Keys of the probes that the proxy passes on: the blocks are written by sidecar injection, one for each rewritten probe. */

import type { Address } from '../../config/address.ts'
import { listenAddress } from '../../config/address.ts'
import { optional, type Read, required, section, withDefault } from '../../config/check.ts'
import { named, textMap } from '../../config/named.ts'
import { choice, port, textLike } from '../../config/value.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { Probe } from '../probes/probe.ts'

export interface ProbesConfig {
  readonly listen: Address
  /** No two have the same name. */
  readonly probes: readonly Probe[]
}

/** As a request line takes it: no spaces, no controls, nothing outside ASCII. */
const PATH = /^\/[\x21-\x7e]{0,2047}$/
const GRPC_SERVICE = /^[A-Za-z0-9_./-]{0,253}$/

const http = section({
  headers: optional(textMap('names of headers and their values'), 'headers of the request'),
  path: withDefault(textLike(PATH, 'a path such as /ready'), '/', 'what is asked for'),
  port: required(port(), 'port of the workload'),
  scheme: withDefault(choice(['http', 'https']), 'http', 'certificates are not looked at'),
})
const tcp = section({ port: required(port(), 'port of the workload') })
const grpc = section({
  port: required(port(), 'port of the workload'),
  service: optional(
    textLike(GRPC_SERVICE, 'the name of a service'),
    'service whose health is asked',
  ),
})

export const probes = section({
  grpc: optional(named(grpc), 'probes that ask gRPC’s health service'),
  http: optional(named(http), 'probes that ask by HTTP'),
  listen: required(listenAddress(), 'where the kubelet asks, at /probe/ and the name of a block'),
  tcp: optional(named(tcp), 'probes that only connect'),
})

/** @throws IdentityError CONFIG_INVALID for a name that comes twice */
export function probesConfig(
  read: Read<(typeof probes)['keys']> | undefined,
): ProbesConfig | undefined {
  if (read === undefined) return undefined
  const all: readonly Probe[] = [
    ...(read.http ?? []).map(({ name, port: at, path, scheme, headers = {} }) => ({
      name,
      question: { kind: 'http' as const, port: at, path, scheme, headers },
    })),
    ...(read.tcp ?? []).map(({ name, port: at }) => ({
      name,
      question: { kind: 'tcp' as const, port: at },
    })),
    ...(read.grpc ?? []).map(({ name, port: at, service = '' }) => ({
      name,
      question: { kind: 'grpc' as const, port: at, service },
    })),
  ]
  const twice = all.find(({ name }, index) => all.findIndex((one) => one.name === name) !== index)
  if (twice !== undefined) {
    const why = `proxy.probes has two blocks with the name ${twice.name}, expected one`
    throw new IdentityError('CONFIG_INVALID', why)
  }
  return { listen: read.listen, probes: all }
}
