/** Reads a JSON file of the process's own: absent is an answer, damaged is an error that says what to do. */
import { open, stat } from 'node:fs/promises'
import type { z } from 'zod'
import { IdentityError, reasonOf } from '../spiffe/error.ts'

export interface ReadJsonOptions {
  /** Ends the message of a damaged file. */
  readonly advice: string
  /** A larger file is refused before it is read. */
  readonly maxBytes: number
}

const OTHERS = 0o077

/**
 * @returns undefined when there is no such file
 * @throws IdentityError CONFIG_INVALID when it cannot be read or is not what `schema` says
 */
export async function readJson<T>(
  path: string,
  schema: z.ZodType<T>,
  { advice, maxBytes }: ReadJsonOptions,
): Promise<T | undefined> {
  let text: string
  try {
    text = await readBounded(path, maxBytes)
  } catch (error) {
    // Cast: what node:fs rejects with.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    const why = `cannot read ${path}: ${reasonOf(error)}${adviceFor(error)}`
    throw new IdentityError('CONFIG_INVALID', why, { cause: error })
  }
  const damaged = (why: string) =>
    new IdentityError('CONFIG_INVALID', `${path} is damaged: ${why}; ${advice}`)
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    // The parser's own message quotes the text, which may hold a key.
    throw damaged('it is not JSON')
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw damaged(`${issue?.path.join('.') || 'its content'} is not as expected`)
}

/** Removing it is no way out: whoever may not read it has not seen what is in it. */
function adviceFor(error: unknown): string {
  // Cast: what node:fs rejects with.
  const { code } = error as NodeJS.ErrnoException
  const isForbidden = code === 'EACCES' || code === 'EPERM'
  return isForbidden ? '; the user that this program runs as must own it and may read it' : ''
}

async function readBounded(path: string, maxBytes: number): Promise<string> {
  await using file = await open(path, 'r')
  const { size } = await file.stat()
  if (size > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`)
  return await file.readFile('utf8')
}

/** Whether anybody but its owner may do anything with the file. */
export async function isOpenToOthers(path: string): Promise<boolean> {
  return ((await stat(path)).mode & OTHERS) !== 0
}
