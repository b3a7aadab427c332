/**
 * HCL version 1, the language of SPIRE's configuration files. `Type "name" { … }` reads as an
 * object in an object; repeated keys are kept in order. The first thing that is not HCL refuses
 * the whole text, with its line and column.
 *
 * @see https://github.com/hashicorp/hcl/tree/hcl1
 */
import { type Cursor, nextToken, openCursor, type Token } from './hcl-token.ts'
import { refuseAt } from './mistake.ts'
import { type ConfigNode, MAX_CONFIG_DEPTH, type Member, type Place, showText } from './tree.ts'

interface Parser {
  readonly cursor: Cursor
  token: Token
  depth: number
}

/** @throws IdentityError CONFIG_INVALID */
export function parseHcl(file: string, text: string): ConfigNode {
  const cursor = openCursor(file, text)
  const place: Place = { kind: 'file', file, line: 1, column: 1 }
  const parser: Parser = { cursor, token: nextToken(cursor), depth: 0 }
  return { kind: 'object', members: parseMembers(parser, 'end'), place }
}

function parseMembers(parser: Parser, end: 'end' | '}'): Member[] {
  const members: Member[] = []
  while (parser.token.kind !== end) {
    if (parser.token.kind === 'end') {
      refuseAt(parser.token.place, 'the file ends inside an object', '}')
    }
    members.push(parseMember(parser))
    if (parser.token.kind === ',') step(parser)
  }
  return members
}

function parseMember(parser: Parser): Member {
  const keys: { readonly key: string; readonly place: Place }[] = []
  while (parser.token.kind === 'word' || parser.token.kind === 'string') {
    keys.push({ key: parser.token.text, place: parser.token.place })
    if (keys.length > MAX_CONFIG_DEPTH) tooDeep(parser)
    step(parser)
  }
  const [first, ...labels] = keys
  const { kind, place } = parser.token
  if (first === undefined) return refuseAt(place, `unexpected ${showToken(parser.token)}`, 'a key')
  const label = labels.at(-1)
  if (kind === '=' && label !== undefined) {
    // On a line of its own it was meant as the next key.
    if (lineOf(label.place) > lineOf(first.place)) refuseNoValue(first.key, label.place)
    refuseAt(place, 'a block with a label cannot be assigned', '{')
  }
  if (kind !== '=' && kind !== '{') refuseNoValue(first.key, place)
  if (kind === '=') step(parser)
  let value = parseValue(parser)
  for (const inner of labels.toReversed()) {
    value = { kind: 'object', members: [{ ...inner, value }], place: inner.place }
  }
  return { ...first, value }
}

function refuseNoValue(key: string, place: Place): never {
  return refuseAt(place, `no value follows the key ${showText(key)}`, '= or {')
}

function lineOf(place: Place): number {
  return place.kind === 'file' ? place.line : 0
}

function parseValue(parser: Parser): ConfigNode {
  const { token } = parser
  const { place } = token
  switch (token.kind) {
    case '{':
      return nested(parser, () => ({ kind: 'object', members: parseMembers(parser, '}'), place }))
    case '[':
      return nested(parser, () => ({ kind: 'list', items: parseItems(parser), place }))
    case 'string':
      step(parser)
      return { kind: 'string', value: token.text, place }
    case 'number':
      step(parser)
      return { kind: 'number', text: token.text, place }
    case 'bool':
      step(parser)
      return { kind: 'bool', value: token.text === 'true', place }
    case 'word':
      return refuseAt(place, 'a word stands where a value belongs', 'quotes around it')
    default:
      return refuseAt(place, `unexpected ${showToken(token)}`, 'a value')
  }
}

function parseItems(parser: Parser): ConfigNode[] {
  const items: ConfigNode[] = []
  for (;;) {
    // HCL 1 lets commas stand before, after and beside each other.
    while (parser.token.kind === ',') step(parser)
    if (parser.token.kind === ']') return items
    if (parser.token.kind === 'end')
      refuseAt(parser.token.place, 'the file ends inside a list', ']')
    items.push(parseValue(parser))
    expectSeparator(parser)
  }
}

function expectSeparator({ token }: Parser): void {
  if (token.kind === ',' || token.kind === ']') return
  refuseAt(token.place, `unexpected ${showToken(token)} in a list`, ', or ]')
}

/** Steps over the opening bracket, reads what is inside, steps over the closing one. */
function nested(parser: Parser, parse: () => ConfigNode): ConfigNode {
  parser.depth += 1
  if (parser.depth > MAX_CONFIG_DEPTH) tooDeep(parser)
  step(parser)
  const node = parse()
  step(parser)
  parser.depth -= 1
  return node
}

function tooDeep(parser: Parser): never {
  return refuseAt(parser.token.place, 'nested too deeply', `at most ${MAX_CONFIG_DEPTH} levels`)
}

function step(parser: Parser): void {
  parser.token = nextToken(parser.cursor)
}

/** Never the content of a string or a word: it may be a secret that lost its quotes. */
function showToken(token: Token): string {
  return token.kind === 'end' ? 'end of the file' : token.kind
}
