/**
 * JSON as SPIRE's commands print it: one line, members sorted, those that are null left out, and `<`, `>`, `&`
 * escaped so that it may stand in a web page.
 */

export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [name: string]: Json }

export function formatJson(value: Json): string {
  return escapeForWeb(written(value, (member) => member !== null))
}

/** Members sorted, nothing left out: as Go prints a map of its own. */
export function formatSorted(value: Json): string {
  return written(value, () => true)
}

/** Go's encoding/json escapes these; they occur in strings alone. */
function escapeForWeb(json: string): string {
  return json.replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** By hand, because an object of this language puts members that look like numbers first. */
function written(value: Json, keeps: (member: Json) => boolean): string {
  if (Array.isArray(value)) {
    return `[${value.map((item: Json) => written(item, keeps)).join(',')}]`
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value)
    .filter(([, member]) => keeps(member))
    .toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([name, member]) => `${JSON.stringify(name)}:${written(member, keeps)}`)
  return `{${members.join(',')}}`
}
