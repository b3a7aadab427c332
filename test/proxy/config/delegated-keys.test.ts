/** The keys of a proxy that serves several workloads of a node. */
import { expect, test } from 'vitest'
import { readProxyConfig } from '../../../proxy/config.ts'

const read = (settings: string) =>
  readProxyConfig({
    ...{ path: 'proxy.conf', text: `proxy {\n${settings}\n}`, flags: {}, env: {} },
    readText: () => '',
  })

const IDENTITY =
  'identity "delegated" { admin_socket = "/run/admin.sock" selectors = ["k8s:ns:a", "k8s:sa:b"] }'
const inbound = (more: string) =>
  `inbound "web" { listen = "127.0.0.1:0" upstream = "127.0.0.1:1" ${more} }`

test('an admin socket, selectors of the proxy’s own workload, and those of a listener’s', () => {
  const config = read(
    `${IDENTITY}\n${inbound('selectors = ["k8s:sa:web"] labels { app = "web" }')}`,
  )
  expect(config.delegated).toEqual({
    ...{ socket: '/run/admin.sock', selectors: ['k8s:ns:a', 'k8s:sa:b'] },
  })
  expect(config.inbound[0]?.ownWorkload).toEqual({
    ...{ selectors: ['k8s:sa:web'], labels: { app: 'web' } },
  })
})

test('without the block the Workload API is asked, and a listener is for the workload of the proxy', () => {
  const config = read(inbound(''))
  expect(config.delegated).toBeUndefined()
  expect(config.inbound[0]).not.toHaveProperty('ownWorkload')
})

test.for([
  [
    'selectors without a delegate',
    inbound('selectors = ["a:b"]'),
    'proxy.inbound.web.selectors needs identity "delegated"',
  ],
  [
    'labels of no workload',
    `${IDENTITY}\n${inbound('labels { a = "b" }')}`,
    'proxy.inbound.web has no selectors',
  ],
  [
    'an empty list of selectors',
    `${IDENTITY}\n${inbound('selectors = []')}`,
    'proxy.inbound.web has no selectors',
  ],
  [
    'what is no selector',
    `${IDENTITY}\n${inbound('selectors = ["web"]')}`,
    'proxy.inbound.web.selectors item 0 is "web"',
  ],
  [
    'another source',
    `identity "vault" { admin_socket = "/a" selectors = ["a:b"] }\n${inbound('')}`,
    'proxy.identity.vault is unknown',
  ],
  [
    'no selectors at all',
    `identity "delegated" { admin_socket = "/a" }\n${inbound('')}`,
    'selectors is missing',
  ],
  [
    'none of its own',
    `identity "delegated" { admin_socket = "/a" selectors = [] }\n${inbound('')}`,
    'selectors is empty',
  ],
  [
    'a relative socket',
    `identity "delegated" { admin_socket = "a" selectors = ["a:b"] }\n${inbound('')}`,
    'is no absolute path',
  ],
] as const)('refuses %s', ([, settings, message]) => {
  expect(() => read(settings)).toThrow(message)
})
