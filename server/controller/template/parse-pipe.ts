/**
 * Reads what stands between the braces of a template: commands and the pipes between them, operands, variables that are
 * set. What a name refers to is decided here, so that an unknown function or variable is told before anything runs.
 */
import { isFunction } from './functions.ts'
import type { Word } from './lex-template.ts'
import { templateError } from './template-error.ts'
import { intValue, MISSING, textValue, truthValue, type Value } from './value.ts'

export interface Pipe {
  /** Variables that it sets, without their dollars; two only in `range`. */
  readonly variables: readonly string[]
  readonly isAssignment: boolean
  readonly commands: readonly (readonly Operand[])[]
}

/** `fields` are taken of it, one after the other. */
export type Operand = (
  | { readonly kind: 'dot' }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'constant'; readonly value: Value }
  | { readonly kind: 'pipe'; readonly pipe: Pipe }
) & { readonly fields: readonly string[] }

export type BlockKind = 'if' | 'with' | 'range'

/** Where in a template we are. */
export interface PipeScope {
  /** Those that are known at this place; `$` itself is the empty name. */
  variables: string[]
  depth: number
}

/** Blocks and parentheses within each other. */
const MAX_DEPTH = 50

export function deeper(scope: PipeScope): void {
  scope.depth += 1
  if (scope.depth > MAX_DEPTH) throw templateError(`nested deeper than ${MAX_DEPTH} levels`)
}

export function trimWords(words: readonly Word[]): readonly Word[] {
  const from = words[0]?.kind === 'space' ? 1 : 0
  return words.slice(from, words.at(-1)?.kind === 'space' ? -1 : undefined)
}

/** @param context of the pipeline, for messages and because only `range` sets two variables */
export function readPipe(
  words: readonly Word[],
  scope: PipeScope,
  context: BlockKind | 'command',
): Pipe {
  const { variables, isAssignment, rest } = readDeclaration(words, scope, context)
  const commands = splitAt(rest, '|').map((part) => readCommand(trimWords(part), scope, context))
  for (const [at, command] of commands.entries()) {
    const [first] = command
    if (at > 0 && (first?.kind === 'constant' || first?.kind === 'dot') && !first.fields.length) {
      throw templateError(`non executable command in pipeline stage ${at + 1}`)
    }
  }
  if (!isAssignment) scope.variables.push(...variables)
  return { variables, isAssignment, commands }
}

function readDeclaration(words: readonly Word[], scope: PipeScope, context: BlockKind | 'command') {
  const plain = { variables: [], isAssignment: false, rest: words }
  const isSign = (word: Word | undefined, ...signs: readonly string[]) =>
    word?.kind === 'sign' && signs.includes(word.sign)
  const solid = words.map((word, at) => ({ word, at })).filter(({ word }) => word.kind !== 'space')
  const [first, second, third, fourth] = solid.map(({ word }) => word)
  if (first?.kind !== 'variable') return plain
  const restFrom = (index: number) => words.slice((solid[index]?.at ?? words.length - 1) + 1)
  if (isSign(second, ':=', '=')) {
    const isAssignment = isSign(second, '=')
    if (isAssignment) mustKnow(first.name, scope)
    return { variables: [first.name], isAssignment, rest: restFrom(1) }
  }
  if (isSign(second, ',') && third?.kind === 'variable' && isSign(fourth, ':=', '=')) {
    if (context !== 'range') throw templateError(`too many declarations in ${context}`)
    const isAssignment = isSign(fourth, '=')
    const variables = [first.name, third.name]
    if (isAssignment) for (const name of variables) mustKnow(name, scope)
    return { variables, isAssignment, rest: restFrom(3) }
  }
  return plain
}

function mustKnow(name: string, { variables }: PipeScope): void {
  if (!variables.includes(name)) throw templateError(`undefined variable "$${name}"`)
}

/** At signs that stand in no parentheses. */
function splitAt(words: readonly Word[], sign: string): readonly (readonly Word[])[] {
  const parts: Word[][] = [[]]
  let depth = 0
  for (const word of words) {
    if (word.kind === 'sign' && word.sign === '(') depth += 1
    if (word.kind === 'sign' && word.sign === ')') depth -= 1
    if (depth === 0 && word.kind === 'sign' && word.sign === sign) parts.push([])
    else parts.at(-1)?.push(word)
  }
  return parts
}

function readCommand(
  words: readonly Word[],
  scope: PipeScope,
  context: string,
): readonly Operand[] {
  if (words.length === 0) throw templateError(`missing value for ${context}`)
  const operands: Operand[] = []
  let at = 0
  while (at < words.length) {
    if (words[at]?.kind === 'space') {
      at += 1
      continue
    }
    const before = words[at - 1]
    if (at > 0 && before?.kind !== 'space') throw templateError('unexpected word in operand')
    const one = readOperand(words, at, scope)
    operands.push(one.operand)
    at = one.end
  }
  return operands
}

function readOperand(words: readonly Word[], from: number, scope: PipeScope) {
  const { operand, end: first } = readTerm(words, from, scope)
  const fields = [...operand.fields]
  let end = first
  for (let word = words[end]; word?.kind === 'field'; word = words[end]) {
    fields.push(word.name)
    end += 1
  }
  if (fields.length > 0 && (operand.kind === 'constant' || operand.kind === 'function')) {
    throw templateError(`unexpected . after ${operand.kind}`)
  }
  return { operand: { ...operand, fields }, end }
}

function readTerm(
  words: readonly Word[],
  at: number,
  scope: PipeScope,
): { readonly operand: Operand; readonly end: number } {
  const word = words[at]
  const one = (operand: Operand) => ({ operand, end: at + 1 })
  switch (word?.kind) {
    case 'dot':
      return one({ kind: 'dot', fields: [] })
    case 'field':
      return one({ kind: 'dot', fields: [word.name] })
    case 'variable':
      mustKnow(word.name, scope)
      return one({ kind: 'variable', name: word.name, fields: [] })
    case 'text':
      return one({ kind: 'constant', value: textValue(word.text), fields: [] })
    case 'number':
      return one({ kind: 'constant', value: numberValue(word.number, word.isWhole), fields: [] })
    case 'name':
      return one({ ...readName(word.name), fields: [] })
    case 'sign':
      if (word.sign === '(') return readParentheses(words, at, scope)
      throw templateError(`unexpected "${word.sign}" in operand`)
    default:
      throw templateError('an operand is missing')
  }
}

function numberValue(data: number, isWhole: boolean): Value {
  return isWhole ? intValue(data) : { type: { kind: 'float' }, data }
}

function readName(name: string) {
  if (name === 'true' || name === 'false') {
    return { kind: 'constant', value: truthValue(name === 'true') } as const
  }
  if (name === 'nil') return { kind: 'constant', value: MISSING } as const
  if (!isFunction(name)) throw templateError(`function "${name}" not defined`)
  return { kind: 'function', name } as const
}

function readParentheses(words: readonly Word[], from: number, scope: PipeScope) {
  let depth = 0
  const end = words.findIndex((word, at) => {
    if (at < from || word.kind !== 'sign') return false
    if (word.sign === '(') depth += 1
    if (word.sign === ')') depth -= 1
    return depth === 0
  })
  if (end === -1) throw templateError('unclosed left paren')
  deeper(scope)
  const pipe = readPipe(trimWords(words.slice(from + 1, end)), scope, 'command')
  scope.depth -= 1
  return { operand: { kind: 'pipe', pipe, fields: [] } as const, end: end + 1 }
}
