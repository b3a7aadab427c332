import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseEndpointAddress } from '../../proto/endpoint-address.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { readEndpointAddress } from '../../workload/endpoint-address.ts'
import { anyText } from '../fakes/any-text.ts'

test('what the program says wins over the environment', () => {
  const env = { SPIFFE_ENDPOINT_SOCKET: 'unix:///from/env' }
  expect(readEndpointAddress('unix:///from/program', env)).toBe('unix:/from/program')
  expect(readEndpointAddress(undefined, env)).toBe('unix:/from/env')
})

test.for([{}, { SPIFFE_ENDPOINT_SOCKET: '' }])(
  'says which variable to set when the environment is %j',
  (env) => {
    expect(() => readEndpointAddress(undefined, env)).toThrow(/set SPIFFE_ENDPOINT_SOCKET/)
  },
)

test('names the option or the variable that is wrong, and the forms that are right', () => {
  expect(() => readEndpointAddress(undefined, { SPIFFE_ENDPOINT_SOCKET: '/run/x.sock' })).toThrow(
    'SPIFFE_ENDPOINT_SOCKET is "/run/x.sock": it has no scheme; expected unix:///absolute/path or tcp://ip:port',
  )
  expect(() => readEndpointAddress('x', {})).toThrow(/^socket is "x"/)
})

test('any text is read or refused with CONFIG_INVALID', () => {
  const start = fc.constantFrom('', 'unix:', 'unix://', 'tcp://', 'tcp://[', 'tcp://127.0.0.1:')
  fc.assert(
    fc.property(start, anyText(), (prefix, rest) => {
      try {
        expect(parseEndpointAddress(prefix + rest, 'socket')).toMatch(/^unix:\/|:\d+$/)
      } catch (error) {
        expect(error).toBeInstanceOf(IdentityError)
      }
    }),
  )
})
