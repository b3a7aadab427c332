/** Connections and requests drawn at random, and what our own engine is told of them. */
import fc from 'fast-check'
import { tokenOf } from '../../../policy/authenticate-request.ts'
import type { ConnectionFacts, RequestFacts } from '../../../policy/facts.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'
import {
  DESTINATION_IPS,
  DOMAINS,
  HOSTS,
  ISSUERS,
  METHODS,
  PORTS,
  REMOTE_IPS,
  SERVER_NAMES,
  SOURCE_IPS,
  SUBJECTS,
  TEAMS,
} from './drawn-policies.ts'

const pick = <T>(...values: readonly T[]) => fc.constantFrom(...values)

/** Who connects; a certificate is made for each. The last two paths are not of Istio's form. */
export const PEERS: readonly string[] = [
  ...DOMAINS.flatMap((domain) => [
    `${domain}/ns/web/sa/shop`,
    `${domain}/ns/shop/sa/web`,
    `${domain}/ns/we/sa/sa`,
    `${domain}/ns/ns/sa/ns`,
    `${domain}/x/ns/web/y/sa/shop/z`,
    `${domain}/sa/web/ns/shop`,
  ]),
  'a.td/ns/wxb/sa/web',
  'a.td/web',
]

/** `plain`: no TLS at all; `nobody`: TLS without a certificate of the caller. */
export interface DrawnConnection {
  readonly peer: string | 'plain' | 'nobody'
  readonly sourceIp: string
  readonly remoteIp: string
  readonly destinationIp: string
  readonly port: number
  readonly sni: string
}

export const drawnConnection: fc.Arbitrary<DrawnConnection> = fc
  .record({
    peer: fc.oneof(
      { weight: 8, arbitrary: pick(...PEERS) },
      { weight: 1, arbitrary: pick('plain', 'nobody') },
    ),
    sourceIp: pick(...SOURCE_IPS),
    remoteIp: pick(...REMOTE_IPS),
    destinationIp: pick(...DESTINATION_IPS),
    port: pick(...PORTS),
    sni: pick(...SERVER_NAMES),
  })
  // Both ends of a connection are of one family.
  .map((one) => (one.remoteIp.includes(':') ? { ...one, destinationIp: '2001:db8::14' } : one))

export function connectionFacts(drawn: DrawnConnection): ConnectionFacts {
  const { peer, sourceIp, remoteIp, destinationIp, port, sni } = drawn
  const anonymous = peer === 'plain' || peer === 'nobody'
  return {
    peer: anonymous ? undefined : parseSpiffeId(`spiffe://${peer}`),
    sourceIp,
    remoteIp,
    destinationIp,
    destinationPort: port,
    sni: peer === 'plain' ? undefined : sni,
  }
}

export interface DrawnRequest {
  readonly method: string
  readonly target: string
  readonly host: string
  /** Lines of the header X-Team. */
  readonly teams: readonly string[]
  /** Claims of a good token; undefined for a request without one. */
  readonly claims: Readonly<Record<string, unknown>> | undefined
}

const claims = fc.record({
  iss: pick(...ISSUERS),
  sub: pick(...SUBJECTS),
  aud: pick<string | string[]>('shop', ['web'], ['web', 'shop']),
  azp: pick('cli', 'portal'),
  groups: pick<string | string[]>('dev', ['ops', 'dev'], []),
  scope: pick('read', 'read write', 'write'),
  a: pick<unknown>({ b: 'deep' }, { b: ['x', 'deep'] }, 'deep'),
  level: pick<unknown>(7, '7'),
})

const plainTargets = pick('/', '/a', '/a/b', '/a/b/c', '/b', '/a/x/b', '/a/x/b/', '/a/', '/A')
const piece = pick(
  ...['/', '/', '/', 'a', 'b', 'c', 'x', '.', '..', '//', '\\', ';x', '.;x', '..;x', '%2e', '%2E'],
  ...[
    '%2f',
    '%5C',
    '%41',
    '%7e',
    '%zz',
    '%',
    '%25',
    '%252e',
    '*',
    '~',
    '%00',
    '"',
    '{',
    '%20',
    '+',
  ],
)
const strangeTargets = fc
  .tuple(fc.array(piece, { maxLength: 7 }), pick('', '', '', '?q=/a/../b', '#f', '?#'))
  .map(([pieces, rest]) => `/${pieces.join('')}${rest}`)

export const drawnRequest: fc.Arbitrary<DrawnRequest> = fc.record({
  method: pick(...METHODS),
  target: fc.oneof(
    { weight: 2, arbitrary: plainTargets },
    { weight: 1, arbitrary: strangeTargets },
  ),
  host: pick(...HOSTS, 'other.example'),
  teams: fc.array(pick(...TEAMS), { maxLength: 2 }),
  claims: fc.option(claims, { nil: undefined }),
})

/** @param path after normalisation, without its query */
export function requestFacts(
  connection: DrawnConnection,
  { method, host, teams, claims: said }: DrawnRequest,
  path: string,
): RequestFacts {
  const lines = new Map<string, readonly string[]>([
    [':method', [method]],
    ['x-team', teams],
  ])
  return {
    ...connectionFacts(connection),
    method,
    path,
    host,
    headerLines: (name) => lines.get(name) ?? [],
    token: said && tokenOf({ spaceDelimitedClaims: [] }, said),
  }
}
