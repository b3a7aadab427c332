/**
 * The same rules for every proxy: as Istio's AuthorizationPolicies for ours and, as Istio's control plane would write them, for
 * Envoy's RBAC filter. Each rule is of another caller, but for the last one: it alone admits the caller that asks.
 */

/** Of the caller in every run. */
export const CALLER = '/ns/shop/sa/web'
/** Of the workload that is called. */
export const CALLED = '/ns/shop/sa/db'

const RULES_PER_POLICY = 50

interface Rule {
  /** Path of the caller's SPIFFE ID. */
  readonly caller: string
  readonly pathPrefix: string
}

function rulesOf(count: number): readonly Rule[] {
  return Array.from({ length: count }, (_, at) => ({
    caller: at === count - 1 ? CALLER : `/ns/team-${at % 97}/sa/caller-${at}`,
    pathPrefix: `/svc-${at}/`,
  }))
}

/** What is asked for: the last rule lets it pass. */
export const pathFor = (count: number): string => `/svc-${Math.max(count - 1, 0)}/item`

/** A document of YAML (in its JSON form) for each policy; none without rules. */
export function policyTexts(trustDomain: string, count: number): readonly string[] {
  const rules = rulesOf(count).map(({ caller, pathPrefix }) => ({
    from: [{ source: { principals: [`${trustDomain}${caller}`] } }],
    to: [{ operation: { methods: ['GET'], paths: [`${pathPrefix}*`] } }],
  }))
  return inPolicies(rules)
}

/** For connections: who calls, and nothing of what is asked for. */
export function connectionPolicyTexts(trustDomain: string): readonly string[] {
  return inPolicies([{ from: [{ source: { principals: [`${trustDomain}${CALLER}`] } }] }])
}

function inPolicies(rules: readonly object[]): readonly string[] {
  const texts: string[] = []
  for (let first = 0; first < rules.length; first += RULES_PER_POLICY) {
    const policy = {
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      metadata: { name: `policy-${first}`, namespace: 'shop' },
      spec: { action: 'ALLOW', rules: rules.slice(first, first + RULES_PER_POLICY) },
    }
    texts.push(`${JSON.stringify(policy)}\n`)
  }
  return texts
}

const principalIs = (id: string) => ({ authenticated: { principal_name: { exact: id } } })

/** For the HTTP filter. */
export function envoyRules(trustDomain: string, count: number): object {
  const policies = rulesOf(count).map(({ caller, pathPrefix }, at) => {
    const method = { header: { name: ':method', string_match: { exact: 'GET' } } }
    const path = { url_path: { path: { prefix: pathPrefix } } }
    const policy = {
      permissions: [
        {
          and_rules: {
            rules: [{ or_rules: { rules: [method] } }, { or_rules: { rules: [path] } }],
          },
        },
      ],
      principals: [
        {
          and_ids: {
            ids: [{ or_ids: { ids: [principalIs(`spiffe://${trustDomain}${caller}`)] } }],
          },
        },
      ],
    }
    const first = at - (at % RULES_PER_POLICY)
    return [`ns[shop]-policy[policy-${first}]-rule[${at - first}]`, policy] as const
  })
  return { action: 'ALLOW', policies: Object.fromEntries(policies) }
}

/** For the network filter. */
export function envoyConnectionRules(trustDomain: string): object {
  const principals = [principalIs(`spiffe://${trustDomain}${CALLER}`)]
  return {
    action: 'ALLOW',
    policies: { 'ns[shop]-policy[policy-0]-rule[0]': { permissions: [{ any: true }], principals } },
  }
}
