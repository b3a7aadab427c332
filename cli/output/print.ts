/** Prints answers as JSON: one as it is, several as a list. */
import type { Terminal } from '../terminal.ts'
import { formatJson, type Json } from './go-json.ts'

export function printJson(terminal: Terminal, ...answers: readonly Json[]): void {
  const [first, ...more] = answers
  terminal.print(`${formatJson(more.length === 0 && first !== undefined ? first : answers)}\n`)
}
