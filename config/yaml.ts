/**
 * YAML 1.2 (core schema) with the place of every value. One document; repeated keys are kept for
 * the checker to judge. Refuses aliases and tags: nothing here needs them, and an alias can make a
 * small text huge.
 *
 * @see https://yaml.org/spec/1.2.2
 */
import { createRequire } from 'node:module'
import type { LineCounter, parseDocument } from 'yaml'
import { LONE_CARRIAGE_RETURN, loneCarriageReturn } from './lone-carriage-return.ts'
import { refuseAt } from './mistake.ts'
import { type ConfigNode, MAX_CONFIG_DEPTH, type Member, type Place } from './tree.ts'

type Library = typeof import('yaml')
type Document = ReturnType<typeof parseDocument>
type YamlError = Document['errors'][number]
/** What the library says of every node it parsed: where it starts. */
interface Node {
  readonly range?: readonly [number, number, number] | null | undefined
  readonly tag?: string | undefined
  readonly anchor?: string | undefined
}

/** The library quotes the text in its messages, and the text may hold a secret: ours do not. */
const MESSAGES: Readonly<Record<YamlError['code'], string>> = {
  ALIAS_PROPS: 'an alias has an anchor or a tag',
  BAD_ALIAS: 'an alias is malformed',
  BAD_COLLECTION_TYPE: 'a tag does not fit its value',
  BAD_DIRECTIVE: 'a directive is malformed',
  BAD_DQ_ESCAPE: 'a quoted string has an unknown escape',
  BAD_INDENT: 'the indentation is wrong',
  BAD_PROP_ORDER: 'an anchor or a tag stands in the wrong place',
  BAD_SCALAR_START: 'a plain value begins with a character that needs quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a key and its value are nested on one line',
  BLOCK_IN_FLOW: 'a block stands inside brackets or braces',
  DUPLICATE_KEY: 'a key is repeated',
  IMPOSSIBLE: 'the text cannot be read',
  KEY_OVER_1024_CHARS: 'a key is too long',
  MISSING_CHAR: 'a colon, a comma, a quote or a closing bracket is missing',
  MULTILINE_IMPLICIT_KEY: 'a key goes over several lines',
  MULTIPLE_ANCHORS: 'a value has several anchors',
  MULTIPLE_DOCS: 'a second document begins',
  MULTIPLE_TAGS: 'a value has several tags',
  NON_STRING_KEY: 'a key is no string',
  RESOURCE_EXHAUSTION: 'the text is nested too deeply',
  TAB_AS_INDENT: 'a tab is used for indentation',
  TAG_RESOLVE_FAILED: 'a tag is not known',
  UNEXPECTED_TOKEN: 'something unexpected stands here',
}

interface Context {
  readonly library: Library
  readonly file: string
  readonly lines: LineCounter
}

/**
 * With the first text, and at once, as configurations are read: most are HCL, and a server starts sooner without a library that
 * it does not use.
 */
function load(): Library {
  // Cast: what the package is.
  return requireNow('yaml') as Library
}

const requireNow = createRequire(import.meta.url)

/** @throws IdentityError CONFIG_INVALID */
export function parseYaml(file: string, text: string): ConfigNode {
  const library = load()
  const lines = new library.LineCounter()
  const context: Context = { library, file, lines }
  const document = parse(text, context)
  const lone = loneCarriageReturn(text)
  if (lone !== undefined) refuseAt(placeAt(context, lone), `not YAML: ${LONE_CARRIAGE_RETURN}`)
  const [problem] = [...document.errors, ...document.warnings].sort((a, b) => a.pos[0] - b.pos[0])
  if (problem !== undefined) {
    refuseAt(placeAt(context, problem.pos[0]), `not YAML: ${MESSAGES[problem.code]}`)
  }
  return convert(document.contents, context, placeAt(context, 0), 0)
}

function parse(text: string, context: Context): Document {
  try {
    return context.library.parseDocument(text, {
      lineCounter: context.lines,
      logLevel: 'error',
      prettyErrors: false,
      resolveKnownTags: false,
      uniqueKeys: false,
    })
  } catch (error) {
    // The library recurses: what exhausts the stack is refused as too deep, not shown as a bug.
    if (!(error instanceof RangeError)) throw error
    return refuseAt(placeAt(context, 0), `not YAML: ${MESSAGES.RESOURCE_EXHAUSTION}`)
  }
}

function convert(node: unknown, context: Context, parent: Place, depth: number): ConfigNode {
  const { isAlias, isMap, isScalar, isSeq } = context.library
  const place = placeOf(node, context) ?? parent
  if (depth >= MAX_CONFIG_DEPTH && (isMap(node) || isSeq(node))) {
    refuseAt(place, 'nested too deeply', `at most ${MAX_CONFIG_DEPTH} levels`)
  }
  if (node === null) return { kind: 'null', place }
  if (isAlias(node)) return refuseAt(place, 'aliases are not read', 'the value itself')
  if (isMap(node)) {
    const members = node.items.map(({ key, value }) =>
      convertPair(key, value, context, place, depth),
    )
    return { kind: 'object', members, place }
  }
  if (isSeq(node)) {
    const items = node.items.map((item) => convert(item, context, place, depth + 1))
    return { kind: 'list', items, place }
  }
  if (isScalar(node)) return convertScalar(node.value, node.source, place)
  return refuseAt(place, 'no value can be read here')
}

function convertPair(
  key: unknown,
  value: unknown,
  context: Context,
  parent: Place,
  depth: number,
): Member {
  const place = placeOf(key, context) ?? parent
  if (!context.library.isScalar(key) || key.value === null)
    refuseAt(place, 'a key is no string', 'a name')
  return {
    key: typeof key.value === 'string' ? key.value : (key.source ?? String(key.value)),
    place,
    value: convert(value, context, place, depth + 1),
  }
}

function convertScalar(value: unknown, source: string | undefined, place: Place): ConfigNode {
  switch (typeof value) {
    case 'string':
      return { kind: 'string', value, place }
    case 'number':
      return { kind: 'number', text: source ?? String(value), place }
    case 'boolean':
      return { kind: 'bool', value, place }
    default:
      return { kind: 'null', place }
  }
}

function placeOf(node: unknown, context: Context): Place | undefined {
  if (typeof node !== 'object' || node === null) return undefined
  // Every node of the library has these, though its types spread them over several classes.
  const { range, tag, anchor } = node as Node
  const place = range === undefined || range === null ? undefined : placeAt(context, range[0])
  if (tag !== undefined || anchor !== undefined) {
    refuseAt(place ?? placeAt(context, 0), 'tags and anchors are not read', 'the value itself')
  }
  return place
}

function placeAt({ file, lines }: Context, offset: number): Place {
  const { line, col } = lines.linePos(offset)
  return { kind: 'file', file, line: Math.max(1, line), column: Math.max(1, col) }
}
