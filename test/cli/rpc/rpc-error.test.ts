/** Errors of calls in the words of Go. */
import { Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { codeName, isNotConnected, toRpcError } from '../../../cli/rpc/rpc-error.ts'

function failure(code: status, details: string): ServiceError {
  return Object.assign(new Error(details), { code, details, metadata: new Metadata() })
}

const told = (code: status, details: string) =>
  toRpcError(failure(code, details), '/run/api.sock', '///run/api.sock').message

test.for([
  [status.NOT_FOUND, 'NotFound'],
  [status.CANCELLED, 'Canceled'],
  [status.INVALID_ARGUMENT, 'InvalidArgument'],
  [status.UNAUTHENTICATED, 'Unauthenticated'],
  [99, 'Code(99)'],
] as const)('names the code %i %s', ([code, name]) => {
  expect(codeName(code)).toBe(name)
})

test('repeats what the server says', () => {
  expect(told(status.NOT_FOUND, 'agent not found')).toBe(
    'rpc error: code = NotFound desc = agent not found',
  )
})

test('tells its own deadline from one of the server', () => {
  expect(told(status.DEADLINE_EXCEEDED, 'Deadline exceeded after 5.001s')).toBe(
    'rpc error: code = DeadlineExceeded desc = context deadline exceeded',
  )
  expect(told(status.DEADLINE_EXCEEDED, 'the store is slow')).toBe(
    'rpc error: code = DeadlineExceeded desc = the store is slow',
  )
})

test.for([
  ['ENOENT', 'no such file or directory', 'There is no socket /run/api.sock'],
  ['ECONNREFUSED', 'connection refused', 'Nobody listens on /run/api.sock'],
  ['EACCES', 'permission denied', 'This user may not open /run/api.sock'],
] as const)('says what to do when connecting fails with %s', ([code, text, hint]) => {
  const details = `No connection established. Last error: Error: connect ${code} /run/api.sock`
  const [first, second] = told(status.UNAVAILABLE, details).split('\n')
  expect(first).toBe(
    `rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix ///run/api.sock: connect: ${text}"`,
  )
  expect(second).toContain(hint)
})

test('knows whether nobody answered', () => {
  const gone = failure(status.UNAVAILABLE, 'No connection established. Last error: connect ENOENT')
  expect(isNotConnected(toRpcError(gone, '/x', '/x'))).toBe(true)
  expect(isNotConnected(toRpcError(failure(status.UNAVAILABLE, 'no'), '/x', '/x'))).toBe(false)
  expect(isNotConnected(gone)).toBe(false)
})
