/** Texts of policies from files, from directories, and from standard input. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readTexts } from '../../proxy/policy-source/policy-directory.ts'
import type { PolicyText } from '../../proxy/policy-source/read-policies.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { toFileError } from '../output/file-error.ts'
import { readInputFile, STDIN } from '../server/input-file.ts'
import type { Terminal } from '../terminal.ts'

/**
 * Of a directory what a proxy reads of it: its .yaml, .yml and .json files, none below it.
 * @throws IdentityError when something cannot be read, or there is nothing in any of it
 */
export async function readPolicyFiles(
  paths: readonly string[],
  terminal: Terminal,
): Promise<readonly PolicyText[]> {
  const texts: PolicyText[] = []
  for (const path of paths) {
    if (path !== STDIN && (await isDirectory(path))) {
      for (const { name, text } of await readTexts(path))
        texts.push({ name: join(path, name), text })
    } else {
      texts.push({ name: path, text: await readInputFile(path, terminal) })
    }
  }
  if (texts.length > 0) return texts
  const expected = 'expected .yaml, .yml or .json files'
  throw new IdentityError('REQUEST_INVALID', `${paths.join(', ')}: nothing to read, ${expected}`)
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    throw toFileError(error, path)
  }
}
