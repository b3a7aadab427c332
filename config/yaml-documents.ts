/**
 * The documents of one YAML text as plain values, for objects that are judged elsewhere, such as policies. Aliases, tags and
 * repeated keys are refused: an alias can make a small text huge, and of two equal keys nobody knows which is meant.
 */
import { isScalar, LineCounter, type Pair, parseAllDocuments, type Range, visit } from 'yaml'
import { IdentityError, reasonOf } from '../spiffe/error.ts'
import { LONE_CARRIAGE_RETURN, loneCarriageReturn } from './lone-carriage-return.ts'

export interface YamlDocument {
  /** Where it begins, from 1. */
  readonly line: number
  /** Null for an empty document. */
  readonly value: unknown
}

/** Documents in one text. */
const MAX_DOCUMENTS = 10_000

/** @param name of the text, for messages; @throws IdentityError CONFIG_INVALID at the first thing that cannot be read */
export function parseYamlDocuments(name: string, text: string): readonly YamlDocument[] {
  const lines = new LineCounter()
  const refuse = (offset: number, why: string): never => {
    const { line, col } = lines.linePos(offset)
    throw new IdentityError('CONFIG_INVALID', `${name}:${line}:${col}: ${why}`)
  }
  const parsed = parseAllDocuments(text, {
    ...{ lineCounter: lines, logLevel: 'error', prettyErrors: false },
    // Repeated keys are looked for below: the library compares each key with all others.
    ...{ resolveKnownTags: false, uniqueKeys: false },
  })
  const lone = loneCarriageReturn(text)
  if (lone !== undefined) refuse(lone, `not YAML: ${LONE_CARRIAGE_RETURN}`)
  // For an empty text the library gives an empty list with further members.
  const documents = [...parsed]
  if (documents.length > MAX_DOCUMENTS) refuse(0, `it has more than ${MAX_DOCUMENTS} documents`)
  return documents.map((document) => {
    const [problem] = [...document.errors, ...document.warnings]
    if (problem !== undefined) refuse(problem.pos[0], `not YAML: ${problem.message}`)
    visit(document, {
      // The library asks the most special of these alone.
      Map: (_, { items, tag, range }) => {
        refuseTag(tag, range, refuse)
        refuseRepeated(items, refuse)
      },
      Alias: (_, { range }) =>
        refuse(range?.[0] ?? 0, 'aliases are not read, write the value itself'),
      Node: (_, { tag, range }) => refuseTag(tag, range, refuse),
    })
    const at = document.contents?.range?.[0] ?? 0
    try {
      return { line: lines.linePos(at).line, value: document.toJS() }
    } catch (error) {
      return refuse(at, reasonOf(error))
    }
  })
}

type Refuse = (offset: number, why: string) => never

function refuseTag(tag: string | undefined, range: Range | null | undefined, refuse: Refuse): void {
  if (tag !== undefined) refuse(range?.[0] ?? 0, 'tags are not read, write the value itself')
}

/** By the text that they become as keys of an object: `1` and `"1"` are the same one there. */
function refuseRepeated(items: readonly Pair[], refuse: Refuse): void {
  const seen = new Set<string>()
  for (const { key } of items) {
    if (!isScalar(key)) continue
    const name = String(key.value)
    if (seen.has(name)) refuse(key.range?.[0] ?? 0, 'not YAML: Map keys must be unique')
    seen.add(name)
  }
}
