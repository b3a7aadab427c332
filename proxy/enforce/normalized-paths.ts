/**
 * The paths of requests in the form that rules see, remembered for a while: services have few paths, and normalising one costs more
 * than deciding about it.
 */
import { ambiguityOf } from '../../policy/ambiguous-path.ts'
import { normalizePath } from '../../policy/normalize-path.ts'
import type { MeshSettings } from '../../policy/snapshot.ts'

export type JudgedPath =
  | { readonly kind: 'path'; readonly path: string; readonly target: string }
  /** Answer 400. */
  | { readonly kind: 'refused'; readonly why: string }

/** Targets remembered, and the longest of them in characters. */
const MAX_KNOWN = 2_000
const MAX_KNOWN_CHARS = 256

export function normalizedPaths(
  settings: Pick<MeshSettings, 'pathNormalization' | 'refuseAmbiguousPaths'>,
): (target: string) => JudgedPath {
  const known = new Map<string, JudgedPath>()
  return (target) => {
    const found = known.get(target)
    if (found !== undefined) return found
    const judged = judge(target, settings)
    if (target.length <= MAX_KNOWN_CHARS) {
      if (known.size >= MAX_KNOWN) known.clear()
      known.set(target, judged)
    }
    return judged
  }
}

function judge(
  target: string,
  { pathNormalization, refuseAmbiguousPaths }: Parameters<typeof normalizedPaths>[0],
): JudgedPath {
  // OPTIONS * and CONNECT have no path to normalise.
  if (target === '*' || target === '') return { kind: 'path', path: target, target }
  const read = normalizePath(pathNormalization, target)
  if (read.kind === 'refused') return read
  const why = refuseAmbiguousPaths ? ambiguityOf(pathNormalization, read.path) : undefined
  if (why !== undefined) return { kind: 'refused', why }
  return { kind: 'path', path: read.path, target: `${read.path}${read.query}` }
}
