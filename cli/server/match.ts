/** How a filter compares two sets; the words of the `-match…On` flags. */

const MATCHES = {
  exact: 'MATCH_EXACT',
  subset: 'MATCH_SUBSET',
  superset: 'MATCH_SUPERSET',
  any: 'MATCH_ANY',
} as const

export type Match = (typeof MATCHES)[keyof typeof MATCHES]

export const DEFAULT_MATCH = 'superset'
export const MATCH_WORDS = Object.keys(MATCHES)

/** @returns undefined for a word that is none of them */
export function readMatch(word: string): Match | undefined {
  // Cast: the key was looked for in the very object.
  return Object.hasOwn(MATCHES, word) ? MATCHES[word as keyof typeof MATCHES] : undefined
}
