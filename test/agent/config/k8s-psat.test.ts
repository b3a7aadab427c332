import { expect, test } from 'vitest'
import { readAgentConfig } from '../../../agent/config.ts'

function read(data: string) {
  const text = `agent {
  server_address = "server" server_port = 8081 trust_domain = "example.org" insecure_bootstrap = true
}
plugins {
  KeyManager "memory" {}
  NodeAttestor "k8s_psat" { plugin_data { ${data} } }
  WorkloadAttestor "unix" {}
}`
  return readAgentConfig({
    ...{ path: 'agent.conf', text, env: {}, flags: {} },
    readText: () => {
      throw new Error('the token is read when the node is attested')
    },
  }).nodeAttestor
}

test('reads k8s_psat with its default, and with every key', () => {
  expect(read('cluster = "main"')).toEqual({
    kind: 'k8s_psat',
    cluster: 'main',
    tokenPath: '/var/run/secrets/tokens/spire-agent',
  })
  expect(read('cluster = "main" token_path = "/t"')).toMatchObject({ tokenPath: '/t' })
})

test.for([
  ['', 'plugins.NodeAttestor.k8s_psat.cluster is missing'],
  ['cluster = ""', 'plugins.NodeAttestor.k8s_psat.cluster is missing'],
  ['cluster = ["main"]', 'cluster is a list'],
  ['cluster = "main" token = "x"', 'unknown key "token" in plugins.NodeAttestor.k8s_psat'],
] as const)('refuses k8s_psat with %j', ([data, message]) => {
  expect(() => read(data)).toThrow(message)
})
