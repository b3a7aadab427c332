import { expect, test } from 'vitest'
import { meshText } from '../../../cli/output/mesh-text.ts'
import type { GetStatusResponse } from '../../../proto/gen/steeple/server/mesh/v1/GetStatusResponse.ts'

const AT = Date.parse('2026-01-01T00:00:00Z') / 1000
const refusal = {
  ...{ at: AT, check: 'node-account', reason: 'caller shop/cart is not trusted' },
  ...{ identity: 'spiffe://example.org/ns/shop/sa/x', account: 'shop/cart' },
  ...{ cluster: 'Kubernetes', address: '192.0.2.1:5000' },
}
const answer: GetStatusResponse = {
  istio_ca: {
    ...{ address: '0.0.0.0:15012', dns_names: ['istiod.istio-system.svc'] },
    clusters: [
      { name: 'Kubernetes', server: 'https://k', ready: true, pods: 12, problem: '' },
      { name: 'far', server: 'https://f', ready: false, pods: 0, problem: 'no answer' },
    ],
    ...{ local_cluster: 'Kubernetes', token_audiences: ['istio-ca'], registration: 'off' },
    ...{ trusted_node_accounts: [], max_ttl: 86_400 },
    tally: {
      ...{ issued: 1, refused: 3, refused_by_check: { token: 2, 'node-account': 1 } },
      last_issued: [
        {
          ...{ at: AT, identity: 'spiffe://example.org/ns/shop/sa/cart', account: 'shop/cart' },
          ...{ address: '192.0.2.1:4000', expires_at: AT + 3_600 },
        },
      ],
      last_refusals: [refusal, { ...refusal, account: '', identity: '', reason: 'a\nRefused: 0' }],
    },
  },
  linkerd: null,
}

test('what is served, to whom, and who was refused why is told in one page', () => {
  const text = meshText(answer)
  for (const line of [
    'Address                 : 0.0.0.0:15012',
    'Cluster                 : Kubernetes (https://k, local): 12 pods',
    'Cluster                 : far (https://f): pods not known yet, out of touch: no answer',
    'Trusted node accounts   : (none)',
    'Refused                 : 3 (token 2, node-account 1)',
  ]) {
    expect(text.split('\n')).toContain(line)
  }
  expect(text).toMatch(
    /spiffe:\/\/example\.org\/ns\/shop\/sa\/cart for shop\/cart at 192\.0\.2\.1:4000, until 2026/,
  )
  expect(text).toMatch(
    /node-account: shop\/cart at 192\.0\.2\.1:5000 for "spiffe:.*x": caller shop\/cart is not trusted/,
  )
})

test('what a caller wrote cannot look like a line of ours', () => {
  expect(meshText(answer)).toContain('a Refused: 0\n')
  expect(meshText(answer)).not.toContain('\nRefused: 0')
})

test('a server that serves no mesh says so', () => {
  expect(meshText({ istio_ca: null, linkerd: null })).toMatch(/issues to no service mesh/)
})
