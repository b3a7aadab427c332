/** What holds the process that connected, on kernels that know how to and on those that do not. */
import { spawnSync } from 'node:child_process'
import { closeSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { expect, test } from 'vitest'
import { openPidfd } from '../../proto/peer-credentials.ts'

const { ENOPROTOOPT, EINVAL, ESRCH, ENODATA, EMFILE } = constants.errno
const refusal = expect.objectContaining({ code: 'CALLER_UNIDENTIFIED' })

test('the descriptor that the kernel gives for the connection is the one that counts', () => {
  expect(openPidfd(process.pid, () => ({ pidfd: 77 }))).toBe(77)
})

// Were the number asked about instead, the process that has it by now would be taken for the one that connected.
test.for([EINVAL, ESRCH, ENODATA, EMFILE])(
  'a kernel that knows the caller and gives no descriptor for it, errno %i, has none: its number is not tried',
  (errno) => {
    expect(() => openPidfd(process.pid, () => ({ errno }))).toThrow(refusal)
  },
)

test('a kernel that does not know the question is asked for the number', () => {
  const pidfd = openPidfd(process.pid, () => ({ errno: ENOPROTOOPT }))
  try {
    expect(readFileSync(`/proc/self/fdinfo/${pidfd}`, 'utf8')).toContain(`Pid:\t${process.pid}\n`)
  } finally {
    closeSync(pidfd)
  }
})

test('there is no descriptor for a process that has ended', () => {
  const { pid } = spawnSync('true')
  expect(() => openPidfd(pid, () => ({ errno: ENOPROTOOPT }))).toThrow(refusal)
})
