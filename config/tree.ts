/**
 * The tree that every configuration format is read into. Each node knows where it was written, so
 * that every mistake can be shown in its place; repeated keys are kept, for the checker to judge.
 */

/** Lines and columns start at 1; columns count UTF-16 units. */
export type Place =
  | {
      readonly kind: 'file'
      readonly file: string
      readonly line: number
      readonly column: number
    }
  | { readonly kind: 'flag'; readonly flag: string }

export type ConfigNode =
  | { readonly kind: 'string'; readonly value: string; readonly place: Place }
  /** `text` is the number as written: `0x1f`, `08`. */
  | { readonly kind: 'number'; readonly text: string; readonly place: Place }
  | { readonly kind: 'bool'; readonly value: boolean; readonly place: Place }
  | { readonly kind: 'null'; readonly place: Place }
  | { readonly kind: 'list'; readonly items: readonly ConfigNode[]; readonly place: Place }
  | { readonly kind: 'object'; readonly members: readonly Member[]; readonly place: Place }

/** One key with one value. `place` is the key's own. */
export interface Member {
  readonly key: string
  readonly value: ConfigNode
  readonly place: Place
}

/** Longer texts are refused before they are read. */
export const MAX_CONFIG_BYTES = 1024 * 1024

/** Objects and lists inside each other; deeper is refused. */
export const MAX_CONFIG_DEPTH = 32

export function showPlace(place: Place): string {
  return place.kind === 'flag' ? place.flag : `${place.file}:${place.line}:${place.column}`
}

const MAX_SHOWN_CHARS = 64

/** What was seen, for a message. Never use it on a value that may be a secret. */
export function showNode(node: ConfigNode): string {
  switch (node.kind) {
    case 'string':
      return showText(node.value)
    case 'number':
      return node.text.slice(0, MAX_SHOWN_CHARS)
    case 'bool':
      return String(node.value)
    default:
      return showKind(node)
  }
}

/** A text of the user's in quotes, cut to a length that fits a message. */
export function showText(text: string): string {
  return text.length <= MAX_SHOWN_CHARS
    ? JSON.stringify(text)
    : `${JSON.stringify(text.slice(0, MAX_SHOWN_CHARS))} and more`
}

/** What kind of thing was seen, without its content. */
export function showKind(node: ConfigNode): string {
  switch (node.kind) {
    case 'string':
      return 'a string'
    case 'number':
      return 'a number'
    case 'bool':
      return 'a boolean'
    case 'null':
      return 'nothing'
    case 'list':
      return 'a list'
    case 'object':
      return 'an object'
    default:
      return node satisfies never
  }
}

/**
 * The members of an object. A list of objects reads as one object, because JSON and YAML write
 * repeated blocks that way; nothing at all reads as an empty one.
 * @returns undefined when it is anything else
 */
export function membersOf(node: ConfigNode): readonly Member[] | undefined {
  if (node.kind === 'object') return node.members
  if (node.kind === 'null') return []
  if (node.kind !== 'list') return undefined
  const members: Member[] = []
  for (const item of node.items) {
    if (item.kind !== 'object') return undefined
    members.push(...item.members)
  }
  return members
}
