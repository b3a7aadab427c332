/**
 * Carries a parsed template out over its data. Every evaluation is bounded in steps and in what it writes, so that no
 * object somebody creates in the cluster can hold up the server.
 */
import { callFunction } from './functions.ts'
import type { Operand, Pipe } from './parse-pipe.ts'
import type { Node, Template } from './parse-template.ts'
import { mustBeShort, templateError } from './template-error.ts'
import {
  entryOf,
  fieldOf,
  intValue,
  isTrue,
  itemsOf,
  keysOf,
  MISSING,
  pointedTo,
  printed,
  textValue,
  typeName,
  type Value,
} from './value.ts'

/** Nodes and operands looked at. */
const MAX_STEPS = 10_000
interface Run {
  readonly root: Value
  /** The innermost last. */
  variables: { readonly name: string; value: Value }[]
  output: string
  steps: number
}

type Outcome = 'next' | 'break' | 'continue'

/** @throws IdentityError REQUEST_INVALID where Go's evaluation fails, and at a bound */
export function evaluate({ nodes }: Template, root: Value): string {
  const run: Run = { root, variables: [{ name: '', value: root }], output: '', steps: 0 }
  walk(nodes, root, run)
  return run.output
}

function step(run: Run): void {
  run.steps += 1
  if (run.steps > MAX_STEPS) throw templateError(`the template takes more than ${MAX_STEPS} steps`)
}

function write(text: string, run: Run): void {
  run.output += text
  mustBeShort(run.output.length)
}

function walk(nodes: readonly Node[], dot: Value, run: Run): Outcome {
  for (const node of nodes) {
    step(run)
    switch (node.kind) {
      case 'text':
        write(node.text, run)
        break
      case 'action': {
        const value = evaluatePipe(node.pipe, dot, run)
        if (node.pipe.variables.length === 0) write(printed(value), run)
        else setVariables(node.pipe, [value], run)
        break
      }
      case 'if':
      case 'with':
      case 'range': {
        const known = run.variables.length
        const outcome = walkBlock(node, dot, run)
        run.variables.length = known
        if (outcome !== 'next') return outcome
        break
      }
      case 'break':
      case 'continue':
        return node.kind
      default:
        node satisfies never
    }
  }
  return 'next'
}

type Block = Extract<Node, { readonly kind: 'if' | 'with' | 'range' }>

function walkBlock(node: Block, dot: Value, run: Run): Outcome {
  const value = evaluatePipe(node.pipe, dot, run)
  if (node.kind === 'range') return walkRange(node, value, dot, run)
  setVariables(node.pipe, [value], run)
  if (!isTrue(value)) return walk(node.otherwise, dot, run)
  return walk(node.body, node.kind === 'with' ? value : dot, run)
}

function walkRange({ pipe, body, otherwise }: Block, over: Value, dot: Value, run: Run): Outcome {
  const known = run.variables.length
  let isEmpty = true
  for (const [key, item] of elementsOf(over)) {
    isEmpty = false
    step(run)
    setVariables(pipe, pipe.variables.length > 1 ? [key, item] : [item], run)
    const outcome = walk(body, item, run)
    run.variables.length = known
    if (outcome === 'break') break
  }
  return isEmpty ? walk(otherwise, dot, run) : 'next'
}

function* elementsOf(over: Value): Generator<readonly [Value, Value]> {
  const value = pointedTo(over)
  if (value === undefined) throw templateError('range over a nil pointer')
  const { type } = value
  switch (type.kind) {
    case 'list':
      for (const [at, item] of itemsOf(value, type.of).entries()) yield [intValue(at), item]
      return
    case 'map':
      for (const key of keysOf(value)) {
        yield [textValue(key), entryOf(value, type.of, key) ?? MISSING]
      }
      return
    case 'int':
      for (let at = 0; at < Number(value.data ?? 0); at += 1) yield [intValue(at), intValue(at)]
      return
    case 'missing':
      return
    default:
      throw templateError(`range can't iterate over ${typeName(type)}`)
  }
}

function setVariables({ variables, isAssignment }: Pipe, values: readonly Value[], run: Run): void {
  for (const [at, name] of variables.entries()) {
    const value = values[at] ?? MISSING
    const known = isAssignment ? run.variables.findLast((one) => one.name === name) : undefined
    if (known === undefined) run.variables.push({ name, value })
    else known.value = value
  }
}

function evaluatePipe({ commands }: Pipe, dot: Value, run: Run): Value {
  let last: Value | undefined
  for (const command of commands) last = evaluateCommand(command, last, dot, run)
  return last ?? MISSING
}

/** @param piped what the command before it gave, which becomes its last argument */
function evaluateCommand(
  [first, ...rest]: readonly Operand[],
  piped: Value | undefined,
  dot: Value,
  run: Run,
): Value {
  if (first === undefined) return MISSING
  if (first.kind === 'function') {
    const args = rest.map((operand) => () => evaluateOperand(operand, dot, run))
    return callFunction(first.name, piped === undefined ? args : [...args, () => piped])
  }
  if (rest.length > 0 || piped !== undefined) {
    throw templateError(`can't give an argument to what is no function`)
  }
  if (first.kind === 'constant' && first.value.type.kind === 'missing') {
    throw templateError('nil is not a command')
  }
  return evaluateOperand(first, dot, run)
}

function evaluateOperand(operand: Operand, dot: Value, run: Run): Value {
  step(run)
  let value = evaluateTerm(operand, dot, run)
  for (const name of operand.fields) value = fieldOf(value, name)
  return value
}

function evaluateTerm(operand: Operand, dot: Value, run: Run): Value {
  switch (operand.kind) {
    case 'dot':
      return dot
    case 'constant':
      return operand.value
    case 'variable':
      return run.variables.findLast(({ name }) => name === operand.name)?.value ?? MISSING
    case 'function':
      return callFunction(operand.name, [])
    case 'pipe':
      return evaluatePipe(operand.pipe, dot, run)
    default:
      return operand satisfies never
  }
}
