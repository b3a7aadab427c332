/**
 * The webhook that looks at policies before they are stored: what no proxy would read is refused with every mistake at its field,
 * and what looks right and matches nothing, or leaves a hole, is told to whoever applies it.
 */
import { recordAt, textAt } from '../../kubernetes/object.ts'
import { assembleSnapshot } from '../../policy/assemble-snapshot.ts'
import {
  POLICY_GROUP,
  POLICY_LISTS,
  type PolicyKind,
  readPolicyObject,
} from '../../policy/cluster-object.ts'
import { lint } from '../../policy/lint/lint.ts'
import { NOTHING_KNOWN } from '../../policy/lint/surroundings.ts'
import type { MeshSettings } from '../../policy/snapshot.ts'
import { type AdmissionRoutes, type AdmissionVerdict, ALLOWED } from '../admission/routes.ts'

export const POLICY_PATH = '/validate-security-istio-io'

/** Rules and characters of a policy that is looked at here; of longer ones the status tells, when there is time. */
const MAX_LINTED_RULES = 64
const MAX_LINTED_LENGTH = 64 * 1024
/** Mistakes that one refusal lists. */
const MAX_LISTED = 20
/** Findings that only all policies together can bear out. */
/** Whoever may write policies must not keep this server from signing while it looks at one. */
const TOO_LONG: AdmissionVerdict = {
  ...{ kind: 'allow', patch: [] },
  warnings: ['the policy is too long to be looked at while it is stored; see steeple analyze'],
}

const NEEDS_OTHERS: ReadonlySet<string> = new Set(['token-never-read', 'issuer-unknown'])

/** @param mesh as proxies have it; undefined: policies are only read, and nothing is found in them */
export function policyRoutes(mesh: MeshSettings | undefined): AdmissionRoutes {
  return new Map([
    [
      POLICY_PATH,
      async ({ kind, operation, object, namespace, name }) => {
        const known = kindOf(kind.kind)
        if (kind.group !== POLICY_GROUP || known === undefined) return ALLOWED
        if (operation !== 'CREATE' && operation !== 'UPDATE') return ALLOWED
        // A name that the API server makes up comes later, and so does the time.
        const called = name || textAt(recordAt(object, 'metadata'), 'name') || 'unnamed'
        return judge(known, object, { namespace, name: called }, mesh)
      },
    ],
  ])
}

function kindOf(name: string): PolicyKind | undefined {
  return Object.hasOwn(POLICY_LISTS, name) ? (name as PolicyKind) : undefined // a key of the constant
}

function judge(
  kind: PolicyKind,
  object: unknown,
  called: { readonly namespace: string; readonly name: string },
  mesh: MeshSettings | undefined,
): AdmissionVerdict {
  const { read, faults, text } = readPolicyObject(kind, 'v1', object, {
    ...called,
    createdAt: undefined,
  })
  if (read === undefined) {
    const told = faults.map(({ field, message }) => `${field || 'object'}: ${message}`)
    const more = told.length > MAX_LISTED ? [`and ${told.length - MAX_LISTED} more`] : []
    return { kind: 'deny', message: [...told.slice(0, MAX_LISTED), ...more].join('; ') }
  }
  if (mesh === undefined) return ALLOWED
  const rules = read.kind === 'AuthorizationPolicy' ? read.policy.rules.length : 0
  if (rules > MAX_LINTED_RULES || text.length > MAX_LINTED_LENGTH) return TOO_LONG
  const snapshot = assembleSnapshot(mesh, [read])
  const findings = lint({ snapshot, surroundings: NOTHING_KNOWN })
  return {
    ...{ kind: 'allow', patch: [] },
    // Whether tokens are checked at all, other policies say: of one by itself that is not known.
    warnings: findings
      .filter(({ severity, code }) => severity !== 'info' && !NEEDS_OTHERS.has(code))
      .map(({ field, what }) => `${field}: ${what}`),
  }
}
