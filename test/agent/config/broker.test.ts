/** agent.conf: `experimental.broker`, the Broker API. */
import { expect, test } from 'vitest'
import { readAgentConfig } from '../../../agent/config.ts'
import { refusalOf } from '../../config/trees.ts'

const PID = 'type.googleapis.com/spiffe.broker.WorkloadPIDReference'

function read(broker: string, settings = '') {
  const text = `agent {
trust_domain = "example.org"
server_address = "server"
server_port = 8081
insecure_bootstrap = true
${settings}
experimental { ${broker} }
}
plugins {
KeyManager "memory" { }
NodeAttestor "join_token" { }
WorkloadAttestor "unix" { }
}`
  const readText = (): never => {
    throw new Error('nothing else is read')
  }
  return readAgentConfig({ path: 'agent.conf', text, flags: {}, env: {}, readText })
}

const types = (...some: readonly string[]) =>
  some.map((one) => `{ type_url = "${one}" }`).join(', ')
const one = (id: string, allowed = types('*')) =>
  `{ id = "${id}", allowed_reference_types = [${allowed}] }`
const B = 'spiffe://example.org/b'
const SOCKET = 'socket_path = "/run/broker/b.sock"'
const broker = (body: string) => `broker {\n${body}\n}`
const brokers = (...some: readonly string[]) => `brokers = [${some.join(', ')}]`

test('there is no Broker API unless the section is there', () => {
  expect(read('').broker).toBeUndefined()
})

test('reads where it is served, and what each broker may use', () => {
  const written = `{ type_url = "${PID}" }, { type_url = "x/y", allow_over_tcp = true }`
  const other = one('spiffe://other.org/c')
  const text = broker(
    `${SOCKET}\nbind_address = "127.0.0.1:8443"\n${brokers(one(B, written), other)}`,
  )
  expect(read(text).broker).toEqual({
    socketPath: '/run/broker/b.sock',
    bindAddress: { host: '127.0.0.1', port: 8_443 },
    brokers: [
      {
        id: B,
        allowedTypes: [
          { typeUrl: PID, isAllowedOverTcp: false },
          { typeUrl: 'x/y', isAllowedOverTcp: true },
        ],
      },
      { id: 'spiffe://other.org/c', allowedTypes: [{ typeUrl: '*', isAllowedOverTcp: false }] },
    ],
  })
})

test('an address without a host is every address, as it is to SPIRE', () => {
  expect(read(broker(`bind_address = ":8443"\n${brokers(one(B))}`)).broker).toMatchObject({
    socketPath: undefined,
    bindAddress: { host: '::', port: 8_443 },
  })
})

test('warns of processes that another machine may name', () => {
  const remote = one(B, `{ type_url = "${PID}", allow_over_tcp = true }`)
  const { warnings } = read(broker(`bind_address = "0.0.0.0:1"\n${brokers(remote)}`))
  expect(warnings.join()).toContain('a broker on another machine would name processes of this one')
  expect(read(broker(`${SOCKET}\n${brokers(remote)}`)).warnings).toEqual([])
})

test.for([
  ['no address', brokers(one(B)), /has no address \(expected socket_path, bind_address, or both/],
  ['no brokers', SOCKET, /brokers is empty/],
  ['an empty list of brokers', `${SOCKET}\nbrokers = []`, /brokers is empty/],
  ['a Unix socket as address', `bind_address = "unix:/a"\n${brokers(one(B))}`, /is a Unix socket/],
  [
    'an address without a port',
    `bind_address = "host"\n${brokers(one(B))}`,
    /bind_address is "host"/,
  ],
  [
    'a broker twice',
    `${SOCKET}\n${brokers(one(B), one(B))}`,
    /has spiffe:\/\/example.org\/b twice/,
  ],
  [
    'a broker without an ID',
    `${SOCKET}\nbrokers = [{ allowed_reference_types = [${types('*')}] }]`,
    /brokers.0.id is missing/,
  ],
  ['an ID that is none', `${SOCKET}\n${brokers(one('b'))}`, /brokers.0.id is wrong/],
  [
    'the ID of a trust domain',
    `${SOCKET}\n${brokers(one('spiffe://example.org'))}`,
    /expected the ID of a workload/,
  ],
  [
    'a broker without types',
    `${SOCKET}\nbrokers = [{ id = "${B}" }]`,
    /allowed_reference_types of .* is empty/,
  ],
  [
    'an empty list of types',
    `${SOCKET}\n${brokers(one(B, ''))}`,
    /of spiffe:\/\/example.org\/b is empty/,
  ],
  [
    'a type without a URL',
    `${SOCKET}\n${brokers(one(B, '{ allow_over_tcp = true }'))}`,
    /type_url is missing/,
  ],
  ['all types and others', `${SOCKET}\n${brokers(one(B, types('*', PID)))}`, /has \* and others/],
  ['a type twice', `${SOCKET}\n${brokers(one(B, types(PID, PID)))}`, /has a type twice/],
  ['an unknown key', `${SOCKET}\nallow = true\n${brokers(one(B))}`, /unknown key "allow"/],
  [
    'a socket that workloads can see',
    `socket_path = "/tmp/spire-agent/public/b.sock"\n${brokers(one(B))}`,
    /is in the directory of agent.socket_path/,
  ],
] as const)('refuses %s', ([, body, why]) => {
  expect(refusalOf(() => read(broker(body)))).toMatch(why)
})

test('a socket may lie anywhere while there is no Workload API', () => {
  const path = '/tmp/spire-agent/public/b.sock'
  const text = broker(`socket_path = "${path}"\n${brokers(one(B))}`)
  expect(
    read(text, 'disable_workload_api = true\nadmin_socket_path = "/a/b"').broker?.socketPath,
  ).toBe(path)
})
