/**
 * The items of a file to import, each with its line. What `export` wrote is read line by line, however long it is; any other
 * JSON or YAML of the same members is read as a whole, up to a bound.
 */
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { ConfigNode } from '../../../config/tree.ts'
import { IdentityError, reasonOf } from '../../../spiffe/error.ts'
import { toFileError } from '../../output/file-error.ts'
import type { Terminal } from '../../terminal.ts'
import { parsePlaced, toPlain } from '../entry/plain-value.ts'
import { SECTIONS, type Section, sectionLine } from '../export/export-format.ts'
import { readInputFile, STDIN } from '../input-file.ts'

export interface Item {
  readonly section: Section
  /** Counted from 1. */
  readonly line: number
  /** Undefined when it cannot be read; then `problem` says why. */
  readonly value: unknown
  readonly problem?: string
}

/** @throws IdentityError REQUEST_INVALID or CONFIG_INVALID when the file as a whole cannot be read */
export async function* readItems(
  path: string,
  terminal: Terminal,
): AsyncGenerator<Item, void, undefined> {
  if (path !== STDIN && (await isExported(path))) yield* linesOf(path)
  else yield* itemsOf(path === STDIN ? 'standard input' : path, await readInputFile(path, terminal))
}

const HEADS = new Map(
  SECTIONS.flatMap((section) => [
    [sectionLine(section, true).trimEnd(), section] as const,
    [`"${section}": [`, section] as const,
  ]),
)
const HEAD_BYTES = 64

async function isExported(path: string): Promise<boolean> {
  try {
    await using file = await open(path, 'r')
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
    const [first = ''] = buffer.subarray(0, bytesRead).toString().split('\n', 1)
    return first.startsWith('{') && HEADS.has(first)
  } catch (error) {
    throw toFileError(error, path)
  }
}

async function* linesOf(path: string): AsyncGenerator<Item, void, undefined> {
  await using file = await open(path, 'r')
  const input = file.createReadStream({ encoding: 'utf8', autoClose: false })
  let section: Section | undefined
  let line = 0
  let isAtEnd = false
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1
    const head = HEADS.get(text)
    if (isAtEnd && text !== '') throw cut(path, line, 'text after the end')
    if (head !== undefined) section = head
    else if (text === ']}') isAtEnd = true
    else if (text !== '],' && text !== '') {
      if (section === undefined) throw cut(path, line, 'an item in no list')
      yield itemOf(section, line, text)
    }
  }
  if (!isAtEnd) throw cut(path, line, 'no end: the file was cut off')
}

function itemOf(section: Section, line: number, text: string): Item {
  try {
    return { section, line, value: toPlain(parsePlaced('the item.json', text.replace(/,$/, ''))) }
  } catch (error) {
    return { section, line, value: undefined, problem: reasonOf(error) }
  }
}

function* itemsOf(name: string, text: string): Generator<Item, void, undefined> {
  const root = parsePlaced(name, text)
  if (root.kind !== 'object') throw cut(name, 1, 'no object with "entries"')
  for (const { key, value, place } of root.members) {
    const section = SECTIONS.find((known) => known.toLowerCase() === key.toLowerCase())
    const line = place.kind === 'file' ? place.line : 1
    if (section === undefined) throw cut(name, line, `${JSON.stringify(key)}, which means nothing`)
    if (value.kind !== 'list') throw cut(name, line, `${section} that are no list`)
    for (const item of value.items) yield placed(section, item)
  }
}

function placed(section: Section, item: ConfigNode): Item {
  const line = item.place.kind === 'file' ? item.place.line : 1
  try {
    return { section, line, value: toPlain(item) }
  } catch (error) {
    return { section, line, value: undefined, problem: reasonOf(error) }
  }
}

function cut(path: string, line: number, seen: string): IdentityError {
  const expected = `expected the members ${SECTIONS.join(' and ')} alone`
  return new IdentityError('REQUEST_INVALID', `${path}:${line}: there is ${seen}, ${expected}`)
}
