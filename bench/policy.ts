/**
 * What a decision costs with ten to ten thousand rules, best of seven rounds: `npm run bench policy`. Half of the
 * requests ask for a path that no rule gives to their caller. The rules are of the kinds that meshes have: a caller by
 * principal or service account, or a range of addresses, on some paths and methods, beside DENY rules by namespace.
 */
import { performance } from 'node:perf_hooks'
import type { AuthorizationPolicy } from '../policy/authorization-policy.ts'
import { compileAuthorization, type RequestAuthorization } from '../policy/compile.ts'
import { decide } from '../policy/decide.ts'
import type { RequestFacts } from '../policy/facts.ts'
import { parseAuthorizationPolicy } from '../policy/parse-authorization-policy.ts'
import { parseSpiffeId, parseTrustDomain } from '../spiffe/id.ts'

const COUNTS = [10, 100, 1_000, 10_000]
const RULES_PER_POLICY = 50
const DECISIONS = 50_000
const ROUNDS = 7

type Written = Readonly<Record<string, unknown>>

/** Rule `n` of a mesh of `n / 10` services with ten rules each. */
function writtenRule(n: number): Written {
  const caller = Math.floor(n / 10)
  const team = `team-${caller % 97}`
  const methods = n % 2 === 0 ? ['GET', 'HEAD'] : ['POST']
  const to = [
    { operation: { methods, paths: [`/svc-${caller}/v${n % 10}/*`, `/svc-${caller}/open`] } },
  ]
  switch (n % 5) {
    case 0:
      return { from: [{ source: { serviceAccounts: [`${team}/caller-${caller}`] } }], to }
    case 1:
      return {
        from: [{ source: { ipBlocks: [`10.${caller % 250}.${n % 250}.0/24`] } }],
        to,
        when: [{ key: 'destination.port', values: ['8080'] }],
      }
    default:
      return {
        from: [{ source: { principals: [`mesh.example/ns/${team}/sa/caller-${caller}`] } }],
        to,
      }
  }
}

function policies(count: number): readonly AuthorizationPolicy[] {
  const all: AuthorizationPolicy[] = []
  for (let first = 0; first < count; first += RULES_PER_POLICY) {
    const size = Math.min(RULES_PER_POLICY, count - first)
    const deny = first % (RULES_PER_POLICY * 4) === RULES_PER_POLICY
    const rules = Array.from({ length: size }, (_, at) =>
      deny
        ? {
            from: [{ source: { namespaces: [`outcast-${first + at}`] } }],
            to: [{ operation: { paths: [`/svc-${Math.floor((first + at) / 10)}/*`] } }],
          }
        : writtenRule(first + at),
    )
    const parsed = parseAuthorizationPolicy({
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      metadata: { name: `policy-${first}`, namespace: 'shop' },
      spec: { action: deny ? 'DENY' : 'ALLOW', rules },
    })
    if (parsed.kind === 'faults') throw new Error(JSON.stringify(parsed.faults))
    all.push(parsed.policy)
  }
  return all
}

function compiled(count: number): RequestAuthorization {
  const snapshot = {
    mesh: {
      rootNamespace: 'istio-system',
      trustDomain: parseTrustDomain('mesh.example'),
      trustDomainAliases: [],
      pathNormalization: 'BASE' as const,
      refuseAmbiguousPaths: true,
      extensionProviders: [],
      trustedHops: 0,
    },
    authorizationPolicies: policies(count),
    peerAuthentications: [],
    requestAuthentications: [],
  }
  const workload = { namespace: 'shop', name: 'cart', serviceAccount: 'cart', labels: {} }
  return compileAuthorization(snapshot, workload, { kind: 'sidecar-http' })
}

/** Requests of so many callers from all over the mesh; every other one is for a path that its caller may not have. */
function requests(count: number, callers: number): readonly RequestFacts[] {
  return Array.from({ length: callers }, (_, at) => {
    const rule = Math.floor((at * count) / callers)
    const caller = Math.floor(rule / 10)
    const path =
      at % 2 === 0 ? `/svc-${caller}/v${rule % 10}/items/${at}` : `/svc-${caller}/admin/${at}`
    return {
      peer: parseSpiffeId(`spiffe://mesh.example/ns/team-${caller % 97}/sa/caller-${caller}`),
      sourceIp: `10.${caller % 250}.${rule % 250}.7`,
      remoteIp: `10.${caller % 250}.${rule % 250}.7`,
      destinationIp: '10.20.0.7',
      destinationPort: 8080,
      sni: undefined,
      method: rule % 2 === 0 ? 'GET' : 'POST',
      path,
      host: 'cart.shop.svc.cluster.local',
      headerLines: () => [],
      token: undefined,
    }
  })
}

function nanosecondsPerDecision(
  authorization: RequestAuthorization,
  facts: readonly RequestFacts[],
): number {
  let allowed = 0
  const started = performance.now()
  for (let at = 0; at < DECISIONS; at += 1) {
    const request = facts[at % facts.length]
    if (request !== undefined && decide(authorization, request).kind === 'allow') allowed += 1
  }
  const ns = ((performance.now() - started) * 1e6) / DECISIONS
  // Deciding everything alike would be fast and wrong.
  if (allowed === 0 || allowed === DECISIONS) throw new Error('the requests are not a mixture')
  return ns
}

/** Nanoseconds of the best round. */
function best(authorization: RequestAuthorization, count: number, callers: number): string {
  const facts = requests(count, callers)
  const rounds = Array.from({ length: ROUNDS }, () => nanosecondsPerDecision(authorization, facts))
  return Math.min(...rounds).toFixed(0)
}

/** Prints one line for each number of rules. With a thousand callers the rules that decide no longer fit the caches. */
export function benchPolicy(): void {
  for (const count of COUNTS) {
    const started = performance.now()
    const authorization = compiled(count)
    const compileMs = (performance.now() - started).toFixed(0)
    const few = best(authorization, count, 20)
    const many = best(authorization, count, 1_000)
    console.log(
      `policy: ${count} rules: ${few} ns per decision with 20 callers, ${many} ns with 1000; compiled in ${compileMs} ms`,
    )
  }
}
