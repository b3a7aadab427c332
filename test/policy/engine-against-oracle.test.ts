import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AuthorizationPolicy, Operation, Source } from '../../policy/authorization-policy.ts'
import { compileAuthorization } from '../../policy/compile.ts'
import { decide } from '../../policy/decide.ts'
import type { RequestFacts } from '../../policy/facts.ts'
import { ruleId } from '../../policy/rule-set.ts'
import type { Verdict } from '../../policy/verdict.ts'
import { parseSpiffeId } from '../../spiffe/id.ts'
import { meshOf, workload } from './material.ts'
import { answer } from './oracle.ts'

const domains = ['a.td', 'b.td', 'ns']
const names = ['web', 'shop', 'we', 'sa', 'ns']
const pick = <T>(values: readonly T[]) => fc.constantFrom(...values)

const ids = fc.oneof(
  fc
    .tuple(pick(domains), pick(names), pick(names))
    .map(([td, ns, sa]) => `${td}/ns/${ns}/sa/${sa}`),
  fc
    .tuple(pick(domains), fc.array(pick([...names, 'ns', 'sa', 'x']), { maxLength: 7 }))
    .map(([td, path]) => [td, ...path].join('/')),
)

/** The text, or one of the wildcards that policies make of it. */
const wild = (texts: fc.Arbitrary<string>) =>
  fc.oneof(
    texts,
    fc.tuple(texts, fc.nat(12)).map(([text, cut]) => `${text.slice(0, cut)}*`),
    fc.tuple(texts, fc.nat(12)).map(([text, cut]) => `*${text.slice(cut)}`),
    fc.constant('*'),
  )

const ips = pick(['10.1.2.3', '10.1.9.9', '10.2.0.1', '192.0.2.1'])
const blocks = fc.oneof(
  ips,
  fc.tuple(ips, fc.nat(32)).map(([ip, bits]) => `${ip}/${bits}`),
)
const paths = pick(['/', '/a', '/a/b', '/a/b/c', '/a//c', '/b', '/a/x/b', '/a/x/b/', '/a"b'])
const templates = pick(['/a/{*}', '/a/{**}', '/{*}/b', '/a/{*}/b/{**}', '/a/{**}/c', '/{**}'])
const hosts = pick(['shop.example', 'SHOP.example', 'shop.example:80', 'x.shop.example', ''])
const methods = pick(['GET', 'POST', 'PUT'])
const ports = pick(['80', '8080', '9000'])
const issuers = pick(['https://i/a', 'i', 'https://i'])
const subjects = pick(['alice', 'bob', ''])
const tokens = fc.tuple(issuers, subjects).map(([issuer, subject]) => `${issuer}/${subject}`)

const list = (values: fc.Arbitrary<string>) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant<string[]>([]) },
    { weight: 2, arbitrary: fc.array(values, { minLength: 1, maxLength: 3 }) },
  )

const notEmpty = <T extends object>(fields: fc.Arbitrary<T>) =>
  fields.filter((object) => Object.values(object).some((values) => values.length > 0))

const source: fc.Arbitrary<Source> = notEmpty(
  fc.record({
    principals: list(wild(ids)),
    notPrincipals: list(wild(ids)),
    requestPrincipals: list(wild(tokens)),
    notRequestPrincipals: list(wild(tokens)),
    namespaces: list(wild(pick(names))),
    notNamespaces: list(wild(pick(names))),
    serviceAccounts: list(
      fc.oneof(
        pick(names),
        fc.tuple(pick(names), pick(names)).map(([ns, sa]) => `${ns}/${sa}`),
      ),
    ),
    notServiceAccounts: list(pick(names)),
    trustDomains: list(wild(pick(domains))),
    notTrustDomains: list(wild(pick(domains))),
    ipBlocks: list(blocks),
    notIpBlocks: list(blocks),
    remoteIpBlocks: list(blocks),
    notRemoteIpBlocks: list(blocks),
  }),
)

const operation: fc.Arbitrary<Operation> = notEmpty(
  fc.record({
    hosts: list(wild(hosts.filter((host) => host !== ''))),
    notHosts: list(wild(hosts.filter((host) => host !== ''))),
    ports: list(ports),
    notPorts: list(ports),
    methods: list(wild(methods)),
    notMethods: list(methods),
    paths: list(fc.oneof(wild(paths), templates)),
    notPaths: list(fc.oneof(wild(paths), templates)),
  }),
)

const condition = fc
  .oneof(
    fc.record({
      key: fc.constant('source.principal'),
      values: list(wild(ids)),
      notValues: list(wild(ids)),
    }),
    fc.record({
      key: fc.constant('source.namespace'),
      values: list(wild(pick(names))),
      notValues: list(pick(names)),
    }),
    fc.record({ key: fc.constant('source.ip'), values: list(blocks), notValues: list(blocks) }),
    fc.record({
      key: fc.constant('destination.port'),
      values: list(ports),
      notValues: list(ports),
    }),
    fc.record({
      key: fc.constant('source.serviceAccount'),
      values: list(pick(names)),
      notValues: list(pick(names)),
    }),
    fc.record({
      key: fc.constant('request.headers[X-Team]'),
      values: list(wild(pick(['red', 'blue', 'red,blue']))),
      notValues: list(wild(pick(['red', 'blue']))),
    }),
  )
  .filter(({ values, notValues }) => values.length + notValues.length > 0)

const rule = fc.record({
  from: fc.array(source, { maxLength: 2 }),
  to: fc.array(operation, { maxLength: 2 }),
  when: fc.array(condition, { maxLength: 2 }),
})

const policies = (count: number): fc.Arbitrary<AuthorizationPolicy[]> =>
  fc
    .array(
      fc.record({
        action: pick([{ kind: 'ALLOW' }, { kind: 'DENY' }] as const),
        dryRun: fc.boolean().map((dry) => dry && Math.PI < 3),
        rules: fc.array(rule, { minLength: 0, maxLength: count }),
      }),
      { maxLength: 4 },
    )
    .map((list) =>
      list.map((policy, at) => ({
        ...policy,
        namespace: 'shop',
        name: `p${at}`,
        attachment: { kind: 'selector', labels: {} },
      })),
    )

const facts: fc.Arbitrary<RequestFacts> = fc.record({
  peer: fc.option(
    ids.filter((id) => !id.endsWith('/')).map((id) => parseSpiffeId(`spiffe://${id}`)),
    {
      nil: undefined,
      freq: 5,
    },
  ),
  sourceIp: ips,
  remoteIp: ips,
  destinationIp: fc.constant('10.20.0.7'),
  destinationPort: ports.map(Number),
  sni: fc.constant(undefined),
  method: methods,
  path: paths,
  host: hosts,
  headerLines: fc
    .array(pick(['red', 'blue', 'red,blue', '']), { maxLength: 2 })
    .map((lines) => (name: string) => (name === 'x-team' ? lines : [])),
  token: fc.option(
    fc.tuple(issuers, subjects).map(([issuer, subject]) => ({
      issuer,
      subject,
      claims: { iss: issuer, sub: subject },
      spaceDelimitedClaims: [],
    })),
    { nil: undefined },
  ),
})

const shown = (verdict: Verdict) => ({
  kind: verdict.kind,
  why: verdict.by === undefined ? verdict.why : ruleId(verdict.by),
})

const requests = fc.array(facts, { minLength: 8, maxLength: 8 })

test.each([
  ['few', 3, 400],
  ['many', 40, 60],
] as const)(
  'with %s rules the index answers as reading every rule in order does, on requests',
  (_, count, runs) => {
    fc.assert(
      fc.property(policies(count), requests, (authorizationPolicies, asked) => {
        const compiled = compileAuthorization(meshOf({ authorizationPolicies }), workload, {
          kind: 'sidecar-http',
        })
        for (const request of asked) {
          expect(shown(decide(compiled, request))).toEqual(
            answer(authorizationPolicies, 'sidecar-http', request),
          )
        }
      }),
      { numRuns: runs },
    )
  },
)

test.each(['sidecar-tcp', 'ztunnel'] as const)(
  'the index answers as reading every rule in order does, on connections at %s',
  (kind) => {
    fc.assert(
      fc.property(policies(12), requests, (authorizationPolicies, asked) => {
        const compiled = compileAuthorization(meshOf({ authorizationPolicies }), workload, { kind })
        for (const connection of asked) {
          expect(shown(decide(compiled, connection))).toEqual(
            answer(authorizationPolicies, kind, connection),
          )
        }
      }),
      { numRuns: 200 },
    )
  },
)
