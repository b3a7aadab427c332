/**
 * Corpora on disk, one file for each target: a line is an input as a JSON string of Latin-1 characters, so that a change
 * can be read. They hold what reached new code, and every input that ever broke an oracle.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = join(import.meta.dirname, 'corpus')
/** Of one file; all of them together stay below 300 KB. */
const MAX_CORPUS_BYTES = 7 * 1024

const pathOf = (target: string) => join(FOLDER, `${target}.jsonl`)

export function readCorpus(target: string): readonly Buffer[] {
  const path = pathOf(target)
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => Buffer.from(textOf(line), 'latin1'))
}

function textOf(line: string): string {
  const text: unknown = JSON.parse(line)
  if (typeof text !== 'string') throw new Error(`not a JSON string: ${line.slice(0, 80)}`)
  return text
}

/** Adds inputs, the shortest first, until the file is full; what it had is kept. */
export function growCorpus(target: string, inputs: readonly Buffer[]): void {
  const known = new Set(readCorpus(target).map(toLine))
  let bytes = [...known].reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0)
  for (const input of inputs.toSorted((one, other) => one.length - other.length)) {
    const line = toLine(input)
    bytes += Buffer.byteLength(line) + 1
    if (bytes > MAX_CORPUS_BYTES) break
    known.add(line)
  }
  writeFileSync(pathOf(target), [...known, ''].join('\n'))
}

/** Adds an input that broke an oracle, whatever room there is. */
export function keepFind(target: string, input: Buffer): void {
  const known = new Set(readCorpus(target).map(toLine))
  known.add(toLine(input))
  writeFileSync(pathOf(target), [...known, ''].join('\n'))
}

/** Printable ASCII stands as it is; the rest is escaped, so that editors leave it alone. */
function toLine(input: Buffer): string {
  return JSON.stringify(input.toString('latin1')).replace(
    /[\x7f-\xff]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
