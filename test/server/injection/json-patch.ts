/** Applies a JSON patch as an API server does, for tests: strictly, so that a patch that could not be applied fails. */
import type { JsonPatchOperation } from '../../../server/admission/routes.ts'

type Json = Record<string, unknown> | unknown[]

export function applyPatch(object: unknown, patch: readonly JsonPatchOperation[]): unknown {
  const copy = structuredClone(object)
  for (const operation of patch) apply(copy as Json, operation) // patches are of objects
  return copy
}

function apply(root: Json, operation: JsonPatchOperation): void {
  const steps = operation.path
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  const last = steps.pop() ?? ''
  let at: Json = root
  for (const step of steps) {
    const next: unknown = Array.isArray(at) ? at[Number(step)] : at[step]
    if (typeof next !== 'object' || next === null) throw new Error(`no ${operation.path}`)
    at = next as Json // an object, by the line before
  }
  if (operation.op !== 'add' && operation.op !== 'replace') throw new Error(operation.op)
  if (!Array.isArray(at)) {
    if (operation.op === 'replace' && !(last in at)) throw new Error(`no ${operation.path}`)
    at[last] = operation.value
    return
  }
  const index = last === '-' ? at.length : Number(last)
  if (!(index >= 0 && index <= at.length)) throw new Error(`no ${operation.path}`)
  at.splice(index, operation.op === 'replace' ? 1 : 0, operation.value)
}
