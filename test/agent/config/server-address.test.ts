import { expect, test } from 'vitest'
import { readAgentConfig } from '../../../agent/config.ts'

const text = (address: string) => `agent {
  server_address = ${address} server_port = 8081 trust_domain = "example.org" insecure_bootstrap = true
}
plugins {
  KeyManager "memory" { plugin_data {} }
  NodeAttestor "join_token" { plugin_data {} }
  WorkloadAttestor "unix" { plugin_data {} }
}`

const serversOf = (address: string) => {
  const config = readAgentConfig({
    ...{ path: 'agent.conf', text: text(address), flags: {}, env: {} },
    readText: () => '',
  })
  const { serverAddress: host, serverPort: port, otherServers } = config
  return [{ host, port }, ...otherServers].map((one) => `${one.host} ${one.port}`)
}

test.for<[string, readonly string[]]>([
  ['"spire.example.org"', ['spire.example.org 8081']],
  ['"fd00::1"', ['fd00::1 8081']],
  ['"[fd00::1]:8443"', ['fd00::1 8443']],
  ['"a.example.org:9000"', ['a.example.org 9000']],
  ['"a.example.org, 192.0.2.7", ', ['a.example.org 8081', '192.0.2.7 8081']],
  ['"a:9001,b , [fd00::2]:9003, fd00::3"', ['a 9001', 'b 8081', 'fd00::2 9003', 'fd00::3 8081']],
])('server_address = %s names these servers', ([written, servers]) => {
  expect(serversOf(written.replace(/, $/, ''))).toEqual(servers)
})

test.for<[string, RegExp]>([
  ['"a,,b"', /server_address has the item ""/],
  ['"a,"', /server_address has the item ""/],
  ['","', /server_address has the item ""/],
  ['"a,b c"', /server_address has the item "b c"/],
  ['"a:0,b"', /server_address has the item "a:0"/],
  ['"a:70000,b"', /server_address has the item "a:70000"/],
  ['"a:,b"', /server_address has the item "a:"/],
  ['"[a]:1,b"', /server_address has the item "\[a\]:1"/],
  ['"a,https://b"', /server_address has the item "https:\/\/b"/],
  ['"a,b,a"', /server_address names a twice/],
  ['"a:1:2"', /server_address is "a:1:2"/],
  ['["a", "b"]', /server_address is a list/],
  [`"${Array.from({ length: 33 }, (_, at) => `s${at}`).join()}"`, /names 33 servers/],
])('server_address = %s is refused', ([written, message]) => {
  expect(() => serversOf(written)).toThrow(message)
})
