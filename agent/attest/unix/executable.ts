/**
 * The program that a process runs: its path, and the hash of its content. Both are of one open file, so a process that
 * starts another program meanwhile never has the path of one and the hash of the other. The file is the running program
 * itself even when it was deleted or replaced, or lies in another mount namespace.
 */
import { createHash } from 'node:crypto'
import { open, readlink } from 'node:fs/promises'
import { IdentityError } from '../../../spiffe/error.ts'

export interface Program extends AsyncDisposable {
  /**
   * The path as the kernel states it: with ` (deleted)` behind it when the file is gone, and as seen from the
   * process's own mount namespace, whose owner may choose it. Pair it with the hash where that matters.
   * @throws IdentityError ATTESTATION_FAILED when the path is not text
   */
  readPath(): Promise<string>
  /**
   * SHA-256, lowercase hex.
   * @param limitBytes 0 for none
   * @throws IdentityError ATTESTATION_FAILED when the program is larger than the limit
   */
  hash(limitBytes: number, signal: AbortSignal): Promise<string>
}

/** @throws the system's error when the program is not readable */
export async function openProgram(pid: number): Promise<Program> {
  const file = await open(`/proc/${pid}/exe`)
  return {
    readPath: async () => toText(await readlink(`/proc/self/fd/${file.fd}`, 'buffer')),
    async hash(limitBytes, signal) {
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
    },
    [Symbol.asyncDispose]: () => file.close(),
  }
}

function toText(path: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(path)
  } catch (cause) {
    // Fails closed: replacement characters would make different paths equal.
    throw new IdentityError('ATTESTATION_FAILED', 'the path of the program is not UTF-8', { cause })
  }
}
