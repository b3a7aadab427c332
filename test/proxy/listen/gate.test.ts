import { expect, test } from 'vitest'
import type { PortProtocol } from '../../../proxy/config.ts'
import { chooseAlpn, type GateMode, gate } from '../../../proxy/listen/gate.ts'
import type { Sniffed } from '../../../proxy/listen/sniff.ts'

const tls = (...alpn: string[]): Sniffed => ({
  kind: 'tls',
  hello: { serverName: undefined, alpn },
})
const http: Sniffed = { kind: 'http1' }
const other: Sniffed = { kind: 'other' }
const silent = undefined

const shown = (mode: GateMode, protocol: PortProtocol, seen?: Sniffed) => {
  const decision = gate(mode, protocol, seen)
  return 'inner' in decision ? `${decision.kind} ${decision.inner}` : decision.kind
}

test.each([
  ['auto', tls('istio-http/1.1', 'istio', 'http/1.1'), 'terminate http'],
  ['auto', tls('istio-h2'), 'terminate http'],
  ['auto', tls('istio-peer-exchange', 'istio'), 'terminate tcp'],
  ['auto', tls('istio'), 'terminate tcp'],
  ['auto', tls('h2', 'http/1.1'), 'passthrough'],
  ['auto', tls(), 'passthrough'],
  ['auto', http, 'plaintext http'],
  ['auto', other, 'plaintext tcp'],
  ['auto', silent, 'plaintext tcp'],
  ['http', tls('istio'), 'terminate http'],
  ['http', tls('h2'), 'refuse'],
  ['http', other, 'plaintext http'],
  ['http2', http, 'plaintext http'],
  ['tcp', tls('istio-http/1.1'), 'terminate tcp'],
  ['tcp', tls('http/1.1'), 'passthrough'],
  ['tcp', http, 'plaintext tcp'],
] as const)('PERMISSIVE at a port for %s: %o → %s', (protocol, seen, decision) => {
  expect(shown('PERMISSIVE', protocol, seen)).toBe(decision)
})

test.each([
  ['auto', tls('istio-http/1.1'), 'terminate http'],
  ['auto', tls('istio'), 'terminate tcp'],
  ['auto', tls('http/1.1'), 'terminate http'],
  ['auto', tls(), 'terminate sniff'],
  ['http', tls(), 'terminate http'],
  ['tcp', tls('h2'), 'terminate tcp'],
  ['auto', http, 'refuse'],
  ['http', http, 'refuse'],
  ['tcp', other, 'refuse'],
  ['tcp', silent, 'refuse'],
] as const)('STRICT at a port for %s: %o → %s', (protocol, seen, decision) => {
  expect(shown('STRICT', protocol, seen)).toBe(decision)
})

test.each([
  ['auto', tls('istio'), 'passthrough'],
  ['tcp', tls(), 'passthrough'],
  ['auto', http, 'plaintext http'],
  ['http', tls('istio'), 'refuse'],
] as const)('DISABLE at a port for %s: %o → %s', (protocol, seen, decision) => {
  expect(shown('DISABLE', protocol, seen)).toBe(decision)
})

test.each([
  ['auto', ['istio-http/1.1', 'istio', 'http/1.1'], 'http/1.1'],
  ['auto', ['h2', 'http/1.1'], 'http/1.1'],
  ['http2', ['h2', 'http/1.1'], 'h2'],
  ['auto', ['h2'], 'h2'],
  ['tcp', ['istio-peer-exchange', 'istio'], 'istio'],
  ['tcp', ['postgresql'], 'postgresql'],
  ['auto', ['istio-peer-exchange'], 'istio-peer-exchange'],
  ['tcp', [], undefined],
] as const)('a port for %s answers %j with %s', (protocol, offered, chosen) => {
  expect(chooseAlpn(offered, protocol)).toBe(chosen)
})

test.each([
  ['auto', tls(), 'terminate sniff'],
  ['http', tls('http/1.1'), 'terminate http'],
  ['tcp', silent, 'plaintext tcp'],
  ['auto', http, 'plaintext http'],
] as const)('in an emergency, at a port for %s: %o → %s', (protocol, seen, decision) => {
  expect(shown('EMERGENCY', protocol, seen)).toBe(decision)
})
