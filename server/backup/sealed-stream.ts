/**
 * Bytes of any length, sealed in chunks with AES-256-GCM by the STREAM construction: each chunk's nonce is its number and
 * whether it is the last one. A chunk that is changed, left out, repeated, moved or taken from another file, and a file that
 * ends too early or too late, is noticed at that chunk: nothing of it is handed on.
 *
 * @see Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance §7
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { IdentityError } from '../../spiffe/error.ts'

/** Bytes of the plain text in each chunk but the last. */
export const CHUNK_BYTES = 64 * 1024
const TAG_BYTES = 16
const SEALED_BYTES = CHUNK_BYTES + TAG_BYTES
const NONCE_BYTES = 12
export const KEY_BYTES = 32
const PURPOSE = 'steeple backup content'

/**
 * The key of the content of one file. The head is bound into it: with another head the first chunk does not open.
 * @param fileKey 32 random bytes, made for this file alone: nonces begin at zero
 */
export function contentKey(fileKey: Uint8Array, head: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', fileKey, head, PURPOSE, KEY_BYTES))
}

/** Sealed chunks, one for each yield. */
export async function* sealStream(
  key: Uint8Array,
  plain: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer, void, undefined> {
  let counter = 0
  for await (const { chunk, isLast } of chunksOf(plain, CHUNK_BYTES)) {
    const cipher = createCipheriv('aes-256-gcm', key, nonce(counter, isLast))
    yield Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()])
    counter += 1
  }
}

/** @throws IdentityError REQUEST_INVALID at the first chunk that is not as it was sealed */
export async function* openStream(
  key: Uint8Array,
  sealed: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer, void, undefined> {
  let counter = 0
  for await (const { chunk, isLast } of chunksOf(sealed, SEALED_BYTES)) {
    yield openChunk(key, chunk, counter, isLast)
    counter += 1
  }
}

function openChunk(key: Uint8Array, chunk: Buffer, counter: number, isLast: boolean): Buffer {
  const damaged = () =>
    new IdentityError(
      'REQUEST_INVALID',
      `the backup is damaged at its chunk ${counter}: it was changed, cut off or put together from several; use another copy`,
    )
  if (chunk.length < TAG_BYTES) throw damaged()
  const decipher = createDecipheriv('aes-256-gcm', key, nonce(counter, isLast), {
    authTagLength: TAG_BYTES,
  })
  decipher.setAuthTag(chunk.subarray(-TAG_BYTES))
  const plain = decipher.update(chunk.subarray(0, -TAG_BYTES))
  try {
    decipher.final()
  } catch {
    throw damaged() // fails closed: what was decrypted is dropped
  }
  return plain
}

function nonce(counter: number, isLast: boolean): Buffer {
  const bytes = Buffer.alloc(NONCE_BYTES)
  bytes.writeUIntBE(counter, NONCE_BYTES - 1 - 6, 6)
  bytes[NONCE_BYTES - 1] = isLast ? 1 : 0
  return bytes
}

/** At least one, the last of which may be shorter or empty. */
async function* chunksOf(
  source: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<{ readonly chunk: Buffer; readonly isLast: boolean }, void, undefined> {
  let held: Buffer[] = []
  let length = 0
  for await (const bytes of source) {
    held.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    length += bytes.byteLength
    // Kept back until more follows: a whole chunk may be the last one.
    if (length <= size) continue
    const all = Buffer.concat(held)
    let start = 0
    for (; length - start > size; start += size) {
      yield { chunk: all.subarray(start, start + size), isLast: false }
    }
    held = [all.subarray(start)]
    length -= start
  }
  yield { chunk: Buffer.concat(held), isLast: true }
}
