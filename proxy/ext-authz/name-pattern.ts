/** Names of headers as configuration lists them: `x-user`, `x-user-*`, `*-user`, `*`; without regard to case. */

export type NamePattern = (lowerName: string) => boolean

const FORM = /^\*?[!#$%&'+.^_`|~0-9A-Za-z-]*\*?$/

/** Undefined for a text that is no name and no pattern of names. */
export function parseNamePattern(text: string): NamePattern | undefined {
  const lower = text.toLowerCase()
  if (lower === '' || lower === '**' || !FORM.test(lower)) return undefined
  if (lower === '*') return () => true
  if (lower.startsWith('*')) {
    const suffix = lower.slice(1)
    return suffix.includes('*') ? undefined : (name) => name.endsWith(suffix)
  }
  const prefix = lower.slice(0, -1)
  return lower.endsWith('*') ? (name) => name.startsWith(prefix) : (name) => name === lower
}

export const isOneOf = (patterns: readonly NamePattern[], lowerName: string): boolean =>
  patterns.some((matches) => matches(lowerName))
