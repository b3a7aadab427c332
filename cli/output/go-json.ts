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
  return escapeForWeb(JSON.stringify(settled(value)))
}

/** Members sorted, nothing left out: as Go prints a map of its own. */
export function formatSorted(value: Json): string {
  return JSON.stringify(sorted(value, () => true))
}

/** Go's encoding/json escapes these; they occur in strings alone. */
export function escapeForWeb(json: string): string {
  return json.replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function settled(value: Json): Json {
  return sorted(value, (member) => member !== null)
}

function sorted(value: Json, keeps: (member: Json) => boolean): Json {
  if (Array.isArray(value)) return value.map((item: Json) => sorted(item, keeps))
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value)
    .filter(([, member]) => keeps(member))
    .toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  // A null prototype, so that a member named __proto__ is one like any other.
  const result: Record<string, Json> = Object.create(null)
  for (const [name, member] of members) result[name] = sorted(member, keeps)
  return result
}
