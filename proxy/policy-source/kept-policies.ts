/**
 * The last good policies of a cluster in a file of the proxy's own, for a start while the API server is away. Whoever may
 * write the file decides what is enforced then, so it belongs beside the configuration; it holds no secret.
 */
import { z } from 'zod'
import { readJson } from '../../disk/read-json.ts'
import { replaceFile } from '../../disk/replace-file.ts'
import {
  POLICY_LISTS,
  type PolicyKind,
  type PolicyObject,
  parsePolicyText,
} from '../../policy/cluster-object.ts'
import type { InForceByNamespace, NamespaceInForce } from './assemble-policies.ts'
import type { Labels } from './policy-copies.ts'

export interface KeptPolicies {
  readonly inForce: InForceByNamespace
  readonly labels: Labels | undefined
}

const MAX_FILE_BYTES = 64 * 1024 * 1024
const KINDS = Object.keys(POLICY_LISTS) as [PolicyKind, ...PolicyKind[]] // the keys of a constant

const OBJECT = z.object({
  kind: z.enum(KINDS),
  namespace: z.string(),
  name: z.string(),
  createdMs: z.number(),
  text: z.string(),
})
type Kept = z.infer<typeof OBJECT>

const FILE = z.object({
  /** Of which namespaces it tells, and of which pod: policies of another set-up are not ours. */
  scope: z.string(),
  labels: z.record(z.string(), z.string()).nullable(),
  unreadable: z.array(z.string()),
  objects: z.array(OBJECT),
})

/**
 * @returns undefined when there is no file, or it tells of another set-up, or an object in it cannot be read any more
 * @throws IdentityError CONFIG_INVALID when it is damaged
 */
export async function readKeptPolicies(
  path: string,
  scope: string,
): Promise<KeptPolicies | undefined> {
  const advice = 'remove it, and start while the API server answers'
  const file = await readJson(path, FILE, { advice, maxBytes: MAX_FILE_BYTES })
  if (file === undefined || file.scope !== scope) return undefined
  const inForce = new Map<string, NamespaceInForce>(
    file.unreadable.map((namespace) => [namespace, { kind: 'unreadable' }]),
  )
  for (const [namespace, own] of Map.groupBy(file.objects, (object) => object.namespace)) {
    const objects = own.flatMap((one) => parseKept(one) ?? [])
    if (objects.length < own.length) return undefined
    inForce.set(namespace, { kind: 'good', objects })
  }
  return { inForce, labels: file.labels ?? undefined }
}

/** @returns undefined for what no proxy would read any more */
function parseKept({ text, ...about }: Kept): PolicyObject | undefined {
  try {
    const object = parsePolicyText(text, { ...about, createdAt: new Date(about.createdMs) })
    return object.read === undefined ? undefined : object
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** One writer per path. */
export async function keepPolicies(
  path: string,
  scope: string,
  { inForce, labels }: KeptPolicies,
): Promise<void> {
  const file: z.infer<typeof FILE> = {
    scope,
    labels: labels ?? null,
    unreadable: [...inForce].filter(([, { kind }]) => kind === 'unreadable').map(([name]) => name),
    objects: [...inForce.values()].flatMap((one) =>
      one.kind === 'unreadable'
        ? []
        : one.objects.map(({ kind, namespace, name, createdMs, text }) => ({
            ...{ kind, namespace, name, createdMs, text },
          })),
    ),
  }
  await replaceFile(path, JSON.stringify(file), { durable: false })
}
