/**
 * Reads Go's template language into a tree: texts, pipelines, `if`, `with`, `range`, variables, `break` and `continue`.
 * Refuses what Go refuses, unknown functions by their name; `define`, `template` and `block` are refused too, since one
 * template cannot refer to another here.
 *
 * @see https://pkg.go.dev/text/template
 */
import { lexTemplate, type Piece, type Word } from './lex-template.ts'
import {
  type BlockKind,
  deeper,
  type Pipe,
  type PipeScope,
  readPipe,
  trimWords,
} from './parse-pipe.ts'
import { templateError } from './template-error.ts'

export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipe: Pipe }
  | {
      readonly kind: 'if' | 'with' | 'range'
      readonly pipe: Pipe
      readonly body: readonly Node[]
      readonly otherwise: readonly Node[]
    }
  | { readonly kind: 'break' | 'continue' }

export interface Template {
  readonly source: string
  readonly nodes: readonly Node[]
}

/** @throws IdentityError REQUEST_INVALID saying what is wrong */
export function parseTemplate(source: string): Template {
  const reader: Reader = {
    pieces: lexTemplate(source),
    at: 0,
    variables: [''],
    depth: 0,
    ranges: 0,
  }
  const { nodes, end } = readNodes(reader)
  if (end !== undefined) throw templateError(`unexpected {{${end.name}}}`)
  return { source, nodes }
}

interface Reader extends PipeScope {
  readonly pieces: readonly Piece[]
  at: number
  /** Around this place. */
  ranges: number
}

interface End {
  readonly name: 'end' | 'else'
  /** What follows `else`. */
  readonly rest: readonly Word[]
}

function readNodes(reader: Reader): { readonly nodes: readonly Node[]; readonly end?: End } {
  const nodes: Node[] = []
  for (;;) {
    const piece = reader.pieces[reader.at]
    if (piece === undefined) return { nodes }
    reader.at += 1
    if (piece.kind === 'text') {
      nodes.push(piece)
      continue
    }
    const words = trimWords(piece.words)
    const [first] = words
    const keyword = first?.kind === 'name' ? first.name : ''
    if (keyword === 'end' || keyword === 'else') {
      return { nodes, end: { name: keyword, rest: trimWords(words.slice(1)) } }
    }
    nodes.push(readAction(keyword, words, reader))
  }
}

function readAction(keyword: string, words: readonly Word[], reader: Reader): Node {
  switch (keyword) {
    case 'if':
    case 'with':
    case 'range':
      return readBlock(keyword, trimWords(words.slice(1)), reader)
    case 'break':
    case 'continue':
      if (reader.ranges === 0) throw templateError(`{{${keyword}}} outside {{range}}`)
      if (words.length > 1) throw templateError(`unexpected argument of {{${keyword}}}`)
      return { kind: keyword }
    case 'define':
    case 'template':
    case 'block':
      throw templateError(`{{${keyword}}} is not offered: a template here stands alone`)
    default:
      return { kind: 'action', pipe: readPipe(words, reader, 'command') }
  }
}

function readBlock(kind: BlockKind, words: readonly Word[], reader: Reader): Node {
  deeper(reader)
  const known = reader.variables.length
  const pipe = readPipe(words, reader, kind)
  if (kind === 'range') reader.ranges += 1
  const { nodes: body, end } = readNodes(reader)
  if (kind === 'range') reader.ranges -= 1
  const otherwise = end?.name === 'else' ? readElse(kind, end.rest, reader) : []
  if (end === undefined) throw templateError(`unclosed {{${kind}}}: {{end}} is missing`)
  if (end.name === 'end' && end.rest.length > 0)
    throw templateError('unexpected argument of {{end}}')
  reader.variables.length = known
  reader.depth -= 1
  return { kind, pipe, body, otherwise }
}

/** `else`, or `else if` and `else with`, which share the `end` of what they belong to. */
function readElse(kind: BlockKind, rest: readonly Word[], reader: Reader): readonly Node[] {
  const [first] = rest
  if (first !== undefined) {
    const again = first.kind === 'name' ? first.name : ''
    if (again !== kind || kind === 'range') throw templateError('unexpected argument of {{else}}')
    return [readBlock(kind, trimWords(rest.slice(1)), reader)]
  }
  const { nodes, end } = readNodes(reader)
  if (end?.name === 'else') throw templateError('unexpected second {{else}}')
  if (end === undefined) throw templateError(`unclosed {{${kind}}}: {{end}} is missing`)
  return nodes
}
