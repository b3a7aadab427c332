/** Reads a JSON file of the process's own: absent is an answer, damaged is an error that says what to do. */
import { readFile } from 'node:fs/promises'
import type { z } from 'zod'
import { IdentityError, reasonOf } from '../spiffe/error.ts'

/**
 * @param advice ends the message of a damaged file
 * @returns undefined when there is no such file
 * @throws IdentityError CONFIG_INVALID when it cannot be read or is not what `schema` says
 */
export async function readJson<T>(
  path: string,
  schema: z.ZodType<T>,
  advice: string,
): Promise<T | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    // Cast: what node:fs rejects with.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    const why = `cannot read ${path}: ${reasonOf(error)}`
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
