import { expect, test } from 'vitest'
import { logFailedCall } from '../../../server/listen/failed-call.ts'
import { type ErrorCode, IdentityError } from '../../../spiffe/error.ts'
import { memoryLog } from '../../fakes/memory-log.ts'

const method = '/spire.api.server.entry.v1.Entry/GetEntry'

function lineFor(error: unknown) {
  const { log, lines } = memoryLog()
  logFailedCall(log, { method, error, caller: { kind: 'anonymous', ip: '2001:db8::1', port: 7 } })
  expect(lines).toHaveLength(1)
  return lines[0]
}

test.for<readonly [ErrorCode, string, string]>([
  ['NOT_FOUND', 'warn', 'NOT_FOUND'],
  ['REQUEST_INVALID', 'warn', 'INVALID_ARGUMENT'],
  ['NOT_AUTHORIZED', 'warn', 'PERMISSION_DENIED'],
  ['RATE_LIMITED', 'warn', 'RESOURCE_EXHAUSTED'],
  ['UNAVAILABLE', 'error', 'UNAVAILABLE'],
  ['INTERNAL', 'error', 'INTERNAL'],
  ['CANCELED', 'debug', 'CANCELLED'],
])('%s is logged at %s as %s, with method and caller', ([code, level, status]) => {
  expect(lineFor(new IdentityError(code, 'why'))).toMatchObject({
    level,
    code: status,
    reason: 'why',
    method,
    caller_addr: '[2001:db8::1]:7',
  })
})

test('a bug is logged with everything that is known of it', () => {
  expect(lineFor(new TypeError('x is not a function'))).toMatchObject({
    level: 'error',
    code: 'INTERNAL',
    err: { type: 'TypeError', message: 'x is not a function', stack: expect.any(String) },
  })
})

test('a refused agent is logged with what is wrong with it, which the agent is not told', () => {
  const error = new IdentityError('AGENT_NOT_ACTIVE', 'authorization denied for method X', {
    cause: new Error('agent "a" expected to have serial number "1"; has "2"'),
  })
  expect(lineFor(error)).toMatchObject({
    agent: 'agent "a" expected to have serial number "1"; has "2"',
  })
})
