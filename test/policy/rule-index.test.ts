import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileAuthorization } from '../../policy/compile.ts'
import { decide } from '../../policy/decide.ts'
import type { RequestFacts } from '../../policy/facts.ts'
import { buildRadixTree, radixMatches } from '../../policy/radix.ts'
import { viewFor } from '../../policy/view.ts'
import { visitIndex } from '../../policy/visit-index.ts'
import { type front, meshOf, policy, request, workload } from './material.ts'

/** Two thousand rules of one kind, in policies of fifty; only rule `n` matches what `fits(n)` gives. */
const COUNT = 2_000
const compiledOf = (rule: (n: number) => object) => {
  const authorizationPolicies = Array.from({ length: COUNT / 50 }, (_, at) =>
    policy(`p${at}`, { rules: Array.from({ length: 50 }, (_, inside) => rule(at * 50 + inside)) }),
  )
  return compileAuthorization(meshOf({ authorizationPolicies }), workload, { kind: 'sidecar-http' })
}

/** How many rules a request is compared with. */
function compared(compiled: ReturnType<typeof compiledOf>, facts: RequestFacts): number {
  let count = 0
  if (compiled.allow !== undefined) {
    visitIndex(compiled.allow.index, viewFor(compiled, facts), (rules) => {
      count += rules.length
    })
  }
  return count
}

const from = (source: object) => ({ from: [{ source }] })
const to = (operation: object) => ({ to: [{ operation }] })
const peer = (path: string) => ({ peer: `spiffe://cluster.local/${path}` as typeof front })

describe('a request is compared with few of two thousand rules', () => {
  test.each<[string, (n: number) => object, (n: number) => Partial<RequestFacts>]>([
    [
      'by principal',
      (n) => from({ principals: [`cluster.local/ns/web/sa/a${n}`] }),
      (n) => peer(`ns/web/sa/a${n}`),
    ],
    [
      'by prefix of a principal',
      (n) => from({ principals: [`cluster.local/ns/n${n}-*`] }),
      (n) => peer(`ns/n${n}-x/sa/a`),
    ],
    [
      'by suffix of a principal',
      (n) => from({ principals: [`*/sa/a${n}`] }),
      (n) => peer(`ns/web/sa/a${n}`),
    ],
    ['by namespace', (n) => from({ namespaces: [`n${n}`] }), (n) => peer(`ns/n${n}/sa/a`)],
    [
      'by service account of one namespace',
      (n) => from({ serviceAccounts: [`web/a${n}`] }),
      (n) => peer(`ns/web/sa/a${n}`),
    ],
    [
      'by service account of many namespaces',
      (n) => from({ serviceAccounts: [`n${n}/a`] }),
      (n) => peer(`ns/n${n}/sa/a`),
    ],
    ['by path', (n) => to({ paths: [`/p${n}`] }), (n) => ({ path: `/p${n}` })],
    ['by prefix of a path', (n) => to({ paths: [`/p${n}/*`] }), (n) => ({ path: `/p${n}/x` })],
    ['by template', (n) => to({ paths: [`/p${n}/{*}/x`] }), (n) => ({ path: `/p${n}/1/x` })],
    ['by suffix of a path', (n) => to({ paths: [`*/p${n}`] }), (n) => ({ path: `/x/p${n}` })],
    ['by host', (n) => to({ hosts: [`H${n}.example`] }), (n) => ({ host: `h${n}.EXAMPLE` })],
    ['by port', (n) => to({ ports: [String(n)] }), (n) => ({ destinationPort: n })],
    [
      'by block of addresses',
      (n) => from({ ipBlocks: [`10.${n % 250}.${Math.floor(n / 250)}.0/24`] }),
      (n) => ({ sourceIp: `10.${n % 250}.${Math.floor(n / 250)}.9` }),
    ],
    [
      'by request principal',
      (n) => from({ requestPrincipals: [`https://idp/u${n}`] }),
      (n) => ({
        token: { issuer: 'https://idp', subject: `u${n}`, claims: {}, spaceDelimitedClaims: [] },
      }),
    ],
    [
      'by one of several principals',
      (n) => from({ principals: [`a/ns/x/sa/b${n}`, `cluster.local/ns/web/sa/a${n}`] }),
      (n) => peer(`ns/web/sa/a${n}`),
    ],
    [
      'by a condition',
      (n) => ({ when: [{ key: 'connection.sni', values: [`s${n}`] }] }),
      (n) => ({ sni: `s${n}` }),
    ],
    [
      'by two fields of which neither is rare',
      (n) => ({
        ...from({ namespaces: [`n${n % 45}`] }),
        ...to({ paths: [`/p${Math.floor(n / 45)}/*`] }),
      }),
      (n) => ({ ...peer(`ns/n${n % 45}/sa/a`), path: `/p${Math.floor(n / 45)}/x` }),
    ],
  ])('%s', (_, rule, fits) => {
    const compiled = compiledOf(rule)
    for (const n of [0, 7, 777, COUNT - 1]) {
      const facts = request(fits(n))
      expect(decide(compiled, facts)).toMatchObject({
        kind: 'allow',
        by: { policy: `p${Math.floor(n / 50)}`, rule: n % 50 },
      })
      expect(compared(compiled, facts)).toBeLessThanOrEqual(8)
    }
    expect(decide(compiled, request({ destinationPort: 60_000, sourceIp: '192.0.2.1' })).kind).toBe(
      'deny',
    )
  })
})

test('rules that demand nothing that could be looked up are still found', () => {
  const compiled = compiledOf((n) => from({ notNamespaces: n === 1_234 ? ['x'] : ['web'] }))
  expect(decide(compiled, request())).toMatchObject({
    kind: 'allow',
    by: { policy: 'p24', rule: 34 },
  })
})

test.each(['prefix', 'suffix'] as const)(
  'a tree of %ses finds what a list of them finds, the shortest first',
  (end) => {
    const texts = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 8 })
    fc.assert(
      fc.property(fc.uniqueArray(texts, { maxLength: 30 }), texts, (keys, text) => {
        const tree = buildRadixTree(end, new Map(keys.map((key) => [key, key])))
        const expected = keys
          .filter((key) => (end === 'prefix' ? text.startsWith(key) : text.endsWith(key)))
          .sort((one, other) => one.length - other.length)
        expect(radixMatches(tree, text)).toEqual(expected)
      }),
      { numRuns: 1_000 },
    )
  },
)
