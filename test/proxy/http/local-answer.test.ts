import { expect, test } from 'vitest'
import {
  answerFailure,
  asGrpcAnswer,
  connectFailure,
  grpcStatusOf,
  rbacDenied,
  textAnswer,
} from '../../../proxy/http/local-answer.ts'

test.for([
  [{ kind: 'connect-timeout' }, 503, 'UF', 'connection timeout'],
  [{ kind: 'overflow' }, 503, 'UO', 'overflow'],
  [{ kind: 'terminated' }, 503, 'UC', 'connection termination'],
  [{ kind: 'remote-reset' }, 503, 'UR', 'remote reset'],
  [{ kind: 'remote-refused' }, 503, 'UR', 'remote refused stream reset'],
  [{ kind: 'protocol-error', reason: 'secret' }, 502, 'UPE', 'protocol error'],
] as const)(
  'an upstream that fails by %j is told in the words of Envoy',
  ([failure, status, flag, reason]) => {
    const told = answerFailure(failure)
    expect(told.answer.status).toBe(status)
    expect(told.flag).toBe(flag)
    expect(told.answer.body).toBe(
      `upstream connect error or disconnect/reset before headers. reset reason: ${reason}`,
    )
  },
)

test('a connection that fails tells its client no address, and the access log all', () => {
  const error = Object.assign(new Error('connect EHOSTUNREACH 10.0.0.1:80'), {
    code: 'EHOSTUNREACH',
  })
  expect(answerFailure(connectFailure(error)).answer.details).toBe(
    'upstream_reset_before_response_started{remote_connection_failure}: connect EHOSTUNREACH 10.0.0.1:80',
  )
  expect(answerFailure(connectFailure(error)).answer.body).toMatch(/remote connection failure$/)
  expect(answerFailure(connectFailure('odd')).answer.body).toMatch(/remote connection failure$/)
})

test('a denial for gRPC has nothing but a head, and its message encoded', () => {
  const answer = asGrpcAnswer({ ...rbacDenied(undefined), body: 'é 100%\n' })
  expect(answer).toMatchObject({ status: 200, body: '' })
  expect(answer.headers).toEqual([
    ['content-type', 'application/grpc'],
    ['grpc-status', '7'],
    ['grpc-message', '%C3%A9 100%25%0A'],
  ])
  expect(rbacDenied(undefined).details).toBe('rbac_access_denied_matched_policy[none]')
})

test.for([
  [400, 13],
  [401, 16],
  [403, 7],
  [404, 12],
  [429, 14],
  [503, 14],
  [418, 2],
] as const)('status %i is grpc-status %i', ([status, expected]) => {
  expect(grpcStatusOf(status)).toBe(expected)
})

test('headers of an answer go with it to a gRPC client', () => {
  const answer = {
    ...textAnswer(401, 'x', 'y'),
    headers: [['www-authenticate', 'Bearer']] as const,
  }
  expect(asGrpcAnswer(answer).headers).toContainEqual(['www-authenticate', 'Bearer'])
})
