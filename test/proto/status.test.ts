/** Errors as gRPC carries them: what a broker's machine may read beside the text. */
import { Metadata, status } from '@grpc/grpc-js'
import type { MessageTypeDefinition } from '@grpc/proto-loader'
import { expect, test } from 'vitest'
import { definitionsOf } from '../../proto/load.ts'
import { toStatus } from '../../proto/status.ts'
import { type ErrorCode, IdentityError } from '../../spiffe/error.ts'

function read(file: 'status' | 'errorDetails', name: string, bytes: Buffer) {
  // Cast: the loader types its map by name only, and these are names of messages.
  const type = definitionsOf(file)[name] as unknown as MessageTypeDefinition<object, never>
  return type.deserialize(bytes) as Readonly<Record<string, unknown>>
}

test.for([
  ['WORKLOAD_REFERENCE_INVALID', status.INVALID_ARGUMENT],
  ['WORKLOAD_NOT_FOUND', status.NOT_FOUND],
  ['WORKLOAD_NOT_ENTITLED', status.PERMISSION_DENIED],
] as const)('Broker-API §4.8 tells %s as an ErrorInfo of spiffe.io', ([reason, code]) => {
  const { metadata = new Metadata(), ...told } = toStatus(new IdentityError(reason, 'why'))
  expect(told).toEqual({ code, details: 'why' })
  const [bytes] = metadata.get('grpc-status-details-bin')
  if (!Buffer.isBuffer(bytes)) throw new Error('there are no details')
  const { details, ...outer } = read('status', 'google.rpc.Status', bytes)
  expect(outer).toEqual({ code, message: 'why' })
  const [any] = details as readonly { type_url: string; value: Buffer }[]
  expect(any?.type_url).toBe('type.googleapis.com/google.rpc.ErrorInfo')
  expect(read('errorDetails', 'google.rpc.ErrorInfo', any?.value ?? Buffer.alloc(0))).toEqual({
    ...{ reason, domain: 'spiffe.io', metadata: {} },
  })
})

test.for<ErrorCode>(['NOT_FOUND', 'NOT_AUTHORIZED', 'REQUEST_INVALID', 'NO_IDENTITY_ISSUED'])(
  'an error %s that is no broker’s has no details',
  (code) => {
    expect(toStatus(new IdentityError(code, 'why')).metadata?.getMap()).toEqual({})
  },
)

test('a bug shows the caller nothing', () => {
  expect(toStatus(new Error('a secret'))).toMatchObject({
    ...{ code: status.INTERNAL, details: 'internal error' },
  })
})
