/** A backup as a file: its head, and what is opened of the rest, in pieces. */
import { open } from 'node:fs/promises'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { HEAD_START_BYTES, type Head, parseHead, readHeadStart } from './file-head.ts'
import { contentKey, openStream } from './sealed-stream.ts'

const READ_BYTES = 1024 * 1024

export interface BackupFile {
  readonly head: Head
  /** From the beginning, each time it is called. @throws IdentityError REQUEST_INVALID where the file is damaged */
  content(fileKey: Uint8Array): AsyncIterable<Uint8Array>
}

/** @throws IdentityError REQUEST_INVALID when it cannot be read or is no backup */
export async function openBackupFile(path: string): Promise<BackupFile> {
  try {
    await using file = await open(path, 'r')
    const start = Buffer.alloc(HEAD_START_BYTES)
    const { bytesRead } = await file.read(start, 0, start.length, 0)
    const length = readHeadStart(start.subarray(0, bytesRead))
    const json = Buffer.alloc(length)
    const read = await file.read(json, 0, length, start.length)
    const head = parseHead(json.subarray(0, read.bytesRead))
    const bytes = Buffer.concat([start, json])
    const sealed = () => piecesOf(path, bytes.length)
    return { head, content: (fileKey) => openStream(contentKey(fileKey, bytes), sealed()) }
  } catch (error) {
    if (error instanceof IdentityError) throw error
    throw new IdentityError('REQUEST_INVALID', `cannot read ${path}: ${reasonOf(error)}`, {
      cause: error,
    })
  }
}

async function* piecesOf(path: string, from: number): AsyncGenerator<Buffer, void, undefined> {
  await using file = await open(path, 'r')
  for (let place = from; ; ) {
    const piece = Buffer.alloc(READ_BYTES)
    const { bytesRead } = await file.read(piece, 0, READ_BYTES, place)
    if (bytesRead === 0) return
    place += bytesRead
    yield piece.subarray(0, bytesRead)
  }
}
