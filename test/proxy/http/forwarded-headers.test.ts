import { expect, test } from 'vitest'
import type { RequestHead } from '../../../proxy/http/exchange.ts'
import { forwardedEdits, xfccElement } from '../../../proxy/http/forwarded-headers.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'

const certificate = {
  by: parseSpiffeId('spiffe://cluster.local/ns/shop/sa/cart'),
  caller: parseSpiffeId('spiffe://cluster.local/ns/web/sa/front'),
  sha256: 'ab12',
  subject: 'O=SPIRE,C="US"\\',
  dnsNames: ['front.web', 'front'],
}

const headOf = (headers: Record<string, readonly string[]>): RequestHead => ({
  version: 'HTTP/1.1',
  method: 'GET',
  path: '/',
  authority: 'a',
  grpc: false,
  headerLines: (name) => headers[name] ?? [],
  lines: () => [],
})

const newRequestId = () => 'a-fresh-one'

test('the element names us, the hash, the subject quoted, the caller and its DNS names, as Envoy orders them', () => {
  expect(xfccElement(certificate)).toBe(
    'By=spiffe://cluster.local/ns/shop/sa/cart;Hash=ab12;Subject="O=SPIRE,C=\\"US\\"\\\\";URI=spiffe://cluster.local/ns/web/sa/front;DNS=front.web;DNS=front',
  )
})

test('behind mutual TLS our element follows those of the caller', () => {
  const head = headOf({ 'x-forwarded-client-cert': ['By=x', 'By=y'] })
  const edits = forwardedEdits(head, { element: 'By=us', tls: true, newRequestId }, '/p')
  expect(edits).toEqual({
    path: '/p',
    remove: ['x-forwarded-client-cert'],
    add: [
      ['x-forwarded-client-cert', 'By=x,By=y,By=us'],
      ['x-forwarded-proto', 'https'],
      ['x-request-id', 'a-fresh-one'],
    ],
  })
})

test('a plaintext caller cannot say which certificate it has', () => {
  const head = headOf({ 'x-forwarded-client-cert': ['URI=spiffe://forged'] })
  const edits = forwardedEdits(head, { element: undefined, tls: false, newRequestId }, undefined)
  expect(edits.remove).toEqual(['x-forwarded-client-cert'])
  expect(JSON.stringify(edits.add)).not.toContain('forged')
})

test('a scheme and a request id that are there stay', () => {
  const head = headOf({ 'x-forwarded-proto': ['http'], 'x-request-id': ['1'] })
  const edits = forwardedEdits(head, { element: undefined, tls: true, newRequestId }, undefined)
  expect(edits).toEqual({ path: undefined, remove: [], add: [] })
})
