import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { bindWithMode, whoCouldReplace } from '../../proto/socket-file.ts'

let dir: string
let path: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'steeple-socket-'))
  path = join(dir, 'api.sock')
})
afterEach(() => rmSync(dir, { recursive: true }))

/** The mode that the file has as soon as it is there, before anything else could have run. */
async function modeAtOnce(mode: number): Promise<number> {
  const server = createServer()
  let first = 0
  bindWithMode(mode, () => {
    server.listen({ path })
    first = lstatSync(path).mode & 0o7777
  })
  await once(server, 'listening')
  server.close()
  await once(server, 'close')
  return first
}

test.for([
  [0o777, 0o077],
  [0o770, 0o000],
  [0o700, 0o022],
  [0o770, 0o777],
] as const)('a socket has mode %o from its first moment, under umask %o', async ([mode, umask]) => {
  const before = process.umask(umask)
  try {
    expect(await modeAtOnce(mode)).toBe(mode)
    expect(process.umask()).toBe(umask)
  } finally {
    process.umask(before)
  }
})

test('the umask is as it was when nothing could be bound', () => {
  const before = process.umask()
  expect(() =>
    bindWithMode(0o777, () => {
      throw new Error('no')
    }),
  ).toThrow('no')
  expect(process.umask()).toBe(before)
})

test.for([0o755, 0o750, 0o700, 0o775, 0o1777])(
  'nobody else could replace a socket in a directory of mode %o',
  (mode) => {
    chmodSync(dir, mode)
    expect(whoCouldReplace(path)).toBeUndefined()
  },
)

test.for([0o777, 0o702, 0o773])(
  'everybody could replace a socket in a directory of mode %o',
  (mode) => {
    chmodSync(dir, mode)
    expect(whoCouldReplace(path)).toContain(`everybody may write ${dir}`)
  },
)

test('the directory that counts is the one that a symbolic link leads to', () => {
  const open = join(dir, 'open')
  mkdirSync(open)
  chmodSync(open, 0o777)
  symlinkSync(open, join(dir, 'link'))
  expect(whoCouldReplace(join(dir, 'link', 'api.sock'))).toContain('everybody may write')
})

test.runIf(process.geteuid?.() === 0)(
  'another user could replace a socket in a directory of his own, sticky or not',
  () => {
    chmodSync(dir, 0o1755)
    chownSync(dir, 65_534, 0)
    expect(statSync(dir).uid).toBe(65_534)
    expect(whoCouldReplace(path)).toContain('user 65534 owns')
  },
)
