/**
 * Runs a vector of path normalisation.
 */
import { normalizePath } from '../normalize-path.ts'
import type { PathNormalizationCase } from './vector-file.ts'
import { compared, type VectorResult } from './vector-result.ts'

const REFUSED = '(answered 400)'

export function runPathNormalization(vector: PathNormalizationCase): VectorResult {
  const id = `${vector.option} ${vector.in}`
  const of = { section: 'pathNormalizationCases', id, title: vector.title ?? '' } as const
  const normalized = normalizePath(vector.option, vector.in)
  const seen = normalized.kind === 'refused' ? REFUSED : normalized.path + normalized.query
  return compared(of, { path: vector.out ?? REFUSED }, { path: seen })
}
