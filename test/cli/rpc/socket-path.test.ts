/** Which socket a command talks to; the messages are those of spire-server and spire-agent 1.15.3. */
import { expect, test } from 'vitest'
import { AGENT_SOCKET, resolveSocketPath, SERVER_SOCKET } from '../../../cli/rpc/socket-path.ts'

const none = { socketPath: '', instance: '' }
const SERVER = 'SPIRE_SERVER_PRIVATE_SOCKET'
const TEMPLATE = 'SPIRE_SERVER_PRIVATE_SOCKET_TEMPLATE'

test.for([
  ['the default', none, {}, '/tmp/spire-server/private/api.sock'],
  ['the variable', none, { [SERVER]: '/v' }, '/v'],
  ['the default when the variable is empty', none, { [SERVER]: '' }, SERVER_SOCKET.fallback],
  ['the flag over the variable', { ...none, socketPath: '/f' }, { [SERVER]: '/v' }, '/f'],
  ['the flag over an instance', { socketPath: '/f', instance: 'i' }, { [TEMPLATE]: '/%i' }, '/f'],
  ['the template', { ...none, instance: 'i' }, { [TEMPLATE]: '/%i', [SERVER]: '/v' }, '/i'],
  ['the template twice', { ...none, instance: 'i' }, { [TEMPLATE]: '/%i/%i' }, '/i/i'],
  ['an instance as it is written', { ...none, instance: '$&' }, { [TEMPLATE]: '/%i' }, '/$&'],
  ['no template without an instance', none, { [TEMPLATE]: '/%i' }, SERVER_SOCKET.fallback],
] as const)('takes %s', ([, flags, env, path]) => {
  expect(resolveSocketPath(flags, SERVER_SOCKET, env)).toBe(path)
})

test('has the default of the agent, too', () => {
  expect(resolveSocketPath(none, AGENT_SOCKET, {})).toBe('/tmp/spire-agent/public/api.sock')
})

test.for([
  [
    'the server without a template',
    SERVER_SOCKET,
    {},
    'you must define SPIRE_SERVER_PRIVATE_SOCKET_TEMPLATE to use the instance flag',
  ],
  [
    'the server with a template that has no place',
    SERVER_SOCKET,
    { [TEMPLATE]: '/x' },
    'failed to find %i in SPIRE_SERVER_PRIVATE_SOCKET_TEMPLATE',
  ],
  [
    'the agent without a template',
    AGENT_SOCKET,
    {},
    'SPIRE_AGENT_PUBLIC_SOCKET_TEMPLATE environment variable must be defined when using the instance flag',
  ],
] as const)('refuses an instance of %s', ([, rules, env, why]) => {
  expect(() => resolveSocketPath({ ...none, instance: 'i' }, rules, env)).toThrow(why)
  expect(() => resolveSocketPath({ socketPath: '/f', instance: 'i' }, rules, env)).toThrow(why)
})
