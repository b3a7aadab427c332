/**
 * What came of one vector.
 */

export type Section =
  | 'cases'
  | 'peerAuthenticationCases'
  | 'requestAuthenticationCases'
  | 'validationCases'
  | 'pathNormalizationCases'

interface Of {
  readonly section: Section
  readonly id: string
  readonly title: string
}

export type VectorResult = Of &
  (
    | { readonly kind: 'passed' }
    | { readonly kind: 'failed'; readonly differences: readonly string[] }
    /** It asks for something that cannot be staged here. */
    | { readonly kind: 'skipped'; readonly why: string }
  )

type Facts = Readonly<Record<string, unknown>>

/** Compares what is expected, and nothing that nobody asked for. */
export function compared(of: Of, expected: Facts, seen: Facts): VectorResult {
  const differences = Object.entries(expected)
    .filter(
      ([name, value]) =>
        value !== undefined && JSON.stringify(seen[name]) !== JSON.stringify(value),
    )
    .map(
      ([name, value]) =>
        `${name}: expected ${JSON.stringify(value)}, found ${JSON.stringify(seen[name]) ?? 'nothing'}`,
    )
  return differences.length === 0
    ? { ...of, kind: 'passed' }
    : { ...of, kind: 'failed', differences }
}

export const failed = (of: Of, difference: string): VectorResult => ({
  ...of,
  kind: 'failed',
  differences: [difference],
})
