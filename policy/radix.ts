/**
 * A tree of prefixes, or of suffixes: finds all of those that a text begins (or ends) with in one walk along the text,
 * however many there are.
 */

export interface RadixTree<T> {
  readonly end: 'prefix' | 'suffix'
  readonly root: RadixNode<T>
}

interface RadixNode<T> {
  /** The part of the key between this node and its parent, in reading order. */
  readonly label: string
  readonly value: T | undefined
  /** By the first character of the label, or the last one in a tree of suffixes. */
  readonly children: ReadonlyMap<number, RadixNode<T>>
}

/** The values of equal keys are expected to be one value. */
export function buildRadixTree<T>(
  end: 'prefix' | 'suffix',
  values: ReadonlyMap<string, T>,
): RadixTree<T> {
  return { end, root: buildNode(end, '', [...values]) }
}

/** Values of the keys that the text begins or ends with, the shortest first. */
export function radixMatches<T>({ end, root }: RadixTree<T>, text: string): readonly T[] {
  const found: T[] = []
  let node: RadixNode<T> | undefined = root
  let used = 0
  while (node !== undefined) {
    const { label, value }: RadixNode<T> = node
    if (
      end === 'prefix' ? !text.startsWith(label, used) : !text.endsWith(label, text.length - used)
    ) {
      break
    }
    used += label.length
    if (value !== undefined) found.push(value)
    // A text that is used up has no next character, and NaN is no child.
    node = node.children.get(text.charCodeAt(end === 'prefix' ? used : text.length - used - 1))
  }
  return found
}

type Entries<T> = readonly (readonly [string, T])[]

function buildNode<T>(end: 'prefix' | 'suffix', label: string, entries: Entries<T>): RadixNode<T> {
  const groups = new Map<number, (readonly [string, T])[]>()
  let value: T | undefined
  for (const entry of entries) {
    const [key] = entry
    if (key === '') {
      value = entry[1]
      continue
    }
    const first = key.charCodeAt(end === 'prefix' ? 0 : key.length - 1)
    const group = groups.get(first)
    if (group === undefined) groups.set(first, [entry])
    else group.push(entry)
  }
  const children = new Map<number, RadixNode<T>>()
  for (const [first, group] of groups) {
    const shared = sharedLength(
      end,
      group.map(([key]) => key),
    )
    const [key = ''] = group[0] ?? []
    const part = end === 'prefix' ? key.slice(0, shared) : key.slice(key.length - shared)
    const rest = group.map(([text, item]) => [cut(end, text, shared), item] as const)
    children.set(first, buildNode(end, part, rest))
  }
  return { label, value, children }
}

const cut = (end: 'prefix' | 'suffix', text: string, length: number): string =>
  end === 'prefix' ? text.slice(length) : text.slice(0, text.length - length)

/** How many characters all keys have in common at this end. */
function sharedLength(end: 'prefix' | 'suffix', keys: readonly string[]): number {
  const [first = '', ...others] = keys
  const charAt = (key: string, at: number) =>
    key.charCodeAt(end === 'prefix' ? at : key.length - 1 - at)
  let shared = first.length
  for (const key of others) {
    let same = 0
    while (same < shared && same < key.length && charAt(key, same) === charAt(first, same))
      same += 1
    shared = same
  }
  return shared
}
