/**
 * Names of users and groups, from `/etc/passwd` and `/etc/group` alone. A number without a name simply has none.
 *
 * @see passwd(5), group(5)
 */
import { readFileSync, type Stats, statSync } from 'node:fs'
import { IdentityError } from '../../../spiffe/error.ts'

export interface AccountNames {
  userName(uid: number): Promise<string | undefined>
  groupName(gid: number): Promise<string | undefined>
}

export interface AccountFiles {
  readonly passwd: string
  readonly group: string
}

const SYSTEM_FILES: AccountFiles = { passwd: '/etc/passwd', group: '/etc/group' }

/** Larger account files are not read: their names would be missing for no visible reason otherwise. */
const MAX_FILE_BYTES = 8 * 1024 * 1024
const MAX_ID = 2 ** 32 - 1

/** Each file is read when first needed and again when it has changed. */
export function openAccountNames(files: AccountFiles = SYSTEM_FILES): AccountNames {
  const users = cachedNames(files.passwd)
  const groups = cachedNames(files.group)
  return {
    userName: async (uid) => (await users()).get(uid),
    groupName: async (gid) => (await groups()).get(gid),
  }
}

/**
 * Name by number, in both files the first and the third field. Of several names for one number the first counts,
 * as in the C library. Lines that say something else (comments, NIS, damage) are passed over.
 */
export function parseAccountNames(text: string): ReadonlyMap<number, string> {
  const names = new Map<number, string>()
  for (const line of text.split('\n')) {
    const [name, , number] = line.split(':', 3)
    if (name === undefined || number === undefined || !/^[^\s#+-]\S*$/.test(name)) continue
    const id = /^(0|[1-9]\d{0,9})$/.test(number) ? Number(number) : Number.NaN
    if (id <= MAX_ID && !names.has(id)) names.set(id, name)
  }
  return names
}

function cachedNames(path: string): () => Promise<ReadonlyMap<number, string>> {
  let known: { readonly version: string; readonly names: ReadonlyMap<number, string> } | undefined
  return async () => {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat === undefined) return new Map() // a container may well have no account files
    const version = versionOf(stat)
    if (known?.version === version) return known.names
    if (stat.size > MAX_FILE_BYTES) {
      throw new IdentityError(
        'ATTESTATION_FAILED',
        `${path} has ${stat.size} bytes, more than the ${MAX_FILE_BYTES} that are read`,
      )
    }
    // At once: a thousand callers of an agent that has just started would each read it otherwise.
    const names = parseAccountNames(readFileSync(path, 'utf8'))
    // Of a file that changes meanwhile the version is older than the names: it is read again.
    known = { version, names }
    return names
  }
}

function versionOf({ ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${ino}:${size}:${mtimeMs}:${ctimeMs}`
}
