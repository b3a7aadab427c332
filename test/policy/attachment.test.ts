import { describe, expect, test } from 'vitest'
import { isAttached, type Place } from '../../policy/attachment.ts'
import type { Attachment } from '../../policy/resource.ts'
import { workload } from './material.ts'

const selector = (labels: Record<string, string>): Attachment => ({ kind: 'selector', labels })
const target = (kind: string, name: string): Attachment => ({
  kind: 'targets',
  targets: [{ group: '', kind, name }],
})
const waypoint: Place = {
  kind: 'waypoint',
  gateway: { namespace: 'shop', name: 'wp' },
  service: { kind: 'Service', namespace: 'shop', name: 'cart' },
}

const attached = (attachment: Attachment, place: Place, namespace = 'shop') =>
  isAttached({ namespace, name: 'p', attachment }, 'istio-system', workload, place)

describe('a policy', () => {
  test.each(['sidecar-http', 'sidecar-tcp', 'ztunnel'] as const)(
    'with a selector applies at %s to its namespace, and from the root namespace to all',
    (kind) => {
      expect(attached(selector({}), { kind })).toBe(true)
      expect(attached(selector({ app: 'cart' }), { kind })).toBe(true)
      expect(attached(selector({ app: 'cart' }), { kind }, 'istio-system')).toBe(true)
      expect(attached(selector({ app: 'cart', tier: 'x' }), { kind })).toBe(false)
      expect(attached(selector({}), { kind }, 'web')).toBe(false)
      expect(attached(target('Service', 'cart'), { kind })).toBe(false)
    },
  )

  test.each([
    [target('Service', 'cart'), 'shop', true],
    [target('Service', 'orders'), 'shop', false],
    [target('Service', 'cart'), 'web', false],
    [target('ServiceEntry', 'cart'), 'shop', false],
    [target('Gateway', 'wp'), 'shop', true],
    [target('Gateway', 'wp'), 'web', false],
    [target('GatewayClass', 'istio-waypoint'), 'istio-system', true],
    [target('GatewayClass', 'istio-waypoint'), 'shop', false],
    [target('GatewayClass', 'other'), 'istio-system', false],
    [selector({}), 'shop', false],
    [selector({}), 'istio-system', false],
  ])('%j of %s at a waypoint: %s', (attachment, namespace, applies) => {
    expect(attached(attachment, waypoint, namespace)).toBe(applies)
  })
})
