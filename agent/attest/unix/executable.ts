/**
 * The program that a process runs: its path, and the hash of its content. The content is read through
 * `/proc/<pid>/exe`, so it is the running program itself even when its file was deleted or replaced, or lies in
 * another mount namespace.
 */
import { createHash } from 'node:crypto'
import { open, readlink } from 'node:fs/promises'
import { IdentityError } from '../../../spiffe/error.ts'

/**
 * The path as the kernel states it: with ` (deleted)` behind it when the file is gone, and as seen from the
 * process's own mount namespace, whose owner may choose it. Pair it with the hash where that matters.
 * @throws IdentityError ATTESTATION_FAILED when the path is not text; the system's error when it is not readable
 */
export async function readProgramPath(pid: number): Promise<string> {
  const bytes = await readlink(`/proc/${pid}/exe`, 'buffer')
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    // Fails closed: replacement characters would make different paths equal.
    throw new IdentityError('ATTESTATION_FAILED', 'the path of the program is not UTF-8', { cause })
  }
}

/**
 * SHA-256 of the running program, lowercase hex.
 * @param limitBytes 0 for none
 * @throws IdentityError ATTESTATION_FAILED when the program is larger than the limit
 */
export async function hashProgram(
  pid: number,
  limitBytes: number,
  signal: AbortSignal,
): Promise<string> {
  await using file = await open(`/proc/${pid}/exe`)
  const hash = createHash('sha256')
  let seenBytes = 0
  for await (const chunk of file.createReadStream({ signal, autoClose: false })) {
    seenBytes += chunk.length
    if (limitBytes > 0 && seenBytes > limitBytes) {
      throw new IdentityError(
        'ATTESTATION_FAILED',
        `the program is larger than workload_size_limit, ${limitBytes} bytes`,
      )
    }
    hash.update(chunk)
  }
  return hash.digest('hex')
}
