/**
 * A file that says which entries there shall be, and whose they are. Nothing in it is ignored: what means nothing is
 * refused, because a misspelt member would change entries silently.
 */
import { createHash } from 'node:crypto'
import type { Entry } from '../../../proto/gen/spire/api/types/Entry.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { idText } from '../../output/entry-text.ts'
import { membersOf, textOf } from '../json-members.ts'
import { parseEntryFile } from './entry-file.ts'

export interface Declaration {
  readonly owner: Owner
  /** False when the file does not name one: then nobody has promised that no other file has the same. */
  readonly isOwnerNamed: boolean
  /** Each with the ID that it has or will get. */
  readonly entries: readonly Declared[]
}

export interface Declared {
  readonly entry: Entry
  /** Whether the file chose the ID, which then stays when everything else changes. */
  readonly isIdChosen: boolean
}

/** In front of the first dot of an entry ID. */
export type Owner = string & { readonly __owner: true }

const DEFAULT_OWNER = 'steeple'
/** No dot: what belongs to `shop` could then not be told from what belongs to `shop.db`. */
const OWNER = /^[A-Za-z0-9_-]{1,64}$/

/** Far more than one file should hold; the server's answer with all entries has to fit into memory beside it. */
const MAX_ENTRIES = 100_000

/** @throws IdentityError REQUEST_INVALID or SPIFFE_ID_INVALID */
export function parseDeclaration(document: unknown): Declaration {
  const unknown: string[] = []
  const root = membersOf(document, '', ['owner', 'entries'], unknown)
  const named = textOf(root.get('owner'), 'owner')
  const owner = readOwner(named === '' ? DEFAULT_OWNER : named)
  const file = parseEntryFile({ entries: root.get('entries') })
  const [meaningless] = [...unknown, ...file.unknown]
  if (meaningless !== undefined) throw refusal(`${meaningless} means nothing here`)
  if (file.entries.length > MAX_ENTRIES) {
    throw refusal(`the file holds ${file.entries.length} entries, expected at most ${MAX_ENTRIES}`)
  }
  const entries = file.entries.map((entry, index) => declare(entry, owner, `entries[${index}]`))
  mustDiffer(entries)
  return { owner, isOwnerNamed: named !== '', entries }
}

/** @throws IdentityError REQUEST_INVALID */
export function readOwner(name: string): Owner {
  if (!OWNER.test(name)) {
    const expected = 'expected 1 to 64 letters, digits, underscores and dashes'
    throw refusal(`owner is ${JSON.stringify(name)}, ${expected}`)
  }
  return name as Owner // the only place where a text becomes one
}

/** By the ID alone: it is the one thing of an entry that every server keeps and nobody changes. */
export function owns(owner: Owner, { id }: Pick<Entry, 'id'>): boolean {
  return id.startsWith(`${owner}.`)
}

/**
 * Equal for entries that no server takes twice: the same SPIFFE ID, parent and set of selectors.
 */
export function similarityOf({ spiffe_id, parent_id, selectors }: Entry): string {
  return JSON.stringify([idText(spiffe_id), idText(parent_id), ...selectorTexts(selectors)])
}

export function selectorTexts(selectors: Entry['selectors']): readonly string[] {
  return [...new Set(selectors.map(({ type, value }) => `${type}:${value}`))].sort()
}

const ID_CHARS = 32

function declare(entry: Entry, owner: Owner, place: string): Declared {
  if (entry.selectors.length === 0) {
    throw refusal(`${place}.selectors is empty, expected at least one selector`)
  }
  if (entry.id !== '' && !owns(owner, entry)) {
    const expected = `expected an ID that begins with "${owner}.", or none`
    throw refusal(`${place}.entry_id is ${JSON.stringify(entry.id)}, ${expected}`)
  }
  if (entry.revision_number !== 0 || entry.created_at !== 0) {
    throw refusal(`${place} has a revision or a time of creation, which the server alone sets`)
  }
  const digest = createHash('sha256').update(similarityOf(entry)).digest('hex')
  const id = entry.id === '' ? `${owner}.${digest.slice(0, ID_CHARS)}` : entry.id
  return { entry: { ...entry, id }, isIdChosen: entry.id !== '' }
}

function mustDiffer(entries: readonly Declared[]): void {
  const places = new Map<string, number>()
  for (const [index, { entry }] of entries.entries()) {
    for (const [what, key] of [
      ['SPIFFE ID, parent and selectors', similarityOf(entry)],
      ['entry ID', entry.id],
    ] as const) {
      const other = places.get(key)
      if (other !== undefined && other !== index) {
        throw refusal(`entries[${other}] and entries[${index}] have the same ${what}`)
      }
      places.set(key, index)
    }
  }
}

function refusal(message: string): IdentityError {
  return new IdentityError('REQUEST_INVALID', message)
}
