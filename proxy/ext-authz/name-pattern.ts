/** Names of headers as configuration lists them: `x-user`, `x-user-*`, `*-user`, `*`; without regard to case. Plain data. */

export interface NamePattern {
  readonly kind: 'any' | 'exact' | 'prefix' | 'suffix'
  /** Lower-case, without the asterisk; empty for any. */
  readonly text: string
}

const FORM = /^\*?[!#$%&'+.^_`|~0-9A-Za-z-]*\*?$/

/** Undefined for a text that is no name and no pattern of names. */
export function parseNamePattern(text: string): NamePattern | undefined {
  const lower = text.toLowerCase()
  if (lower === '' || lower === '**' || !FORM.test(lower)) return undefined
  if (lower === '*') return { kind: 'any', text: '' }
  if (lower.startsWith('*')) {
    const suffix = lower.slice(1)
    return suffix.includes('*') ? undefined : { kind: 'suffix', text: suffix }
  }
  return lower.endsWith('*')
    ? { kind: 'prefix', text: lower.slice(0, -1) }
    : { kind: 'exact', text: lower }
}

export const isOneOf = (patterns: readonly NamePattern[], lowerName: string): boolean =>
  patterns.some((pattern) => matches(pattern, lowerName))

function matches({ kind, text }: NamePattern, lowerName: string): boolean {
  switch (kind) {
    case 'any':
      return true
    case 'exact':
      return lowerName === text
    case 'prefix':
      return lowerName.startsWith(text)
    case 'suffix':
      return lowerName.endsWith(text)
    default:
      return kind satisfies never
  }
}
