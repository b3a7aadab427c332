import { expect, test } from 'vitest'
import type { Cluster, WatchEvent } from '../../../kubernetes/cluster.ts'
import { followNodePods } from '../../../server/mesh/istio-ca/node-pods.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { memoryLog } from '../../fakes/memory-log.ts'
import { pod } from './mesh-server.ts'

const CART = { namespace: 'shop', name: 'cart' }

/** A cluster with these pods, whose changes are told by hand. */
function open(pods: readonly object[]) {
  let wake = () => {}
  const told: WatchEvent[] = []
  const cluster: Cluster = {
    server: 'https://memory',
    request: async () => ({ metadata: { resourceVersion: '1' }, items: pods }),
    async watch({ signal }) {
      return (async function* () {
        while (!signal.aborted) {
          yield* told.splice(0)
          if (told.length > 0) continue
          await new Promise<void>((resolve) => {
            wake = resolve
            signal.addEventListener('abort', () => resolve(), { once: true })
          })
        }
      })()
    },
    [Symbol.dispose]() {},
  }
  const clock = new FakeClock()
  const stop = new AbortController()
  const copy = followNodePods({ cluster, clock, random: () => 0.5, log: memoryLog().log })
  const following = copy.follow(stop.signal)
  return {
    ...{ clock, copy },
    tell(type: WatchEvent['type'], object: object) {
      told.push({ type, object })
      wake()
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await following
    },
  }
}

const at = (version: number, object: ReturnType<typeof pod>, more: object = {}) => ({
  ...object,
  ...more,
  metadata: { ...object.metadata, resourceVersion: String(version) },
})

test('pods are found by service account and node, and not where they are no more', async () => {
  const one = pod('shop', 'cart-1', 'cart', 'node1')
  await using cluster = open([
    one,
    pod('shop', 'cart-2', 'cart', 'node2'),
    pod('shop', 'new', 'cart', ''),
  ])
  const { copy, tell } = cluster
  await expect.poll(() => copy.isComplete).toBe(true)
  expect(copy.size).toBe(2)
  expect(copy.someOn('node1', CART)?.meta.name).toBe('cart-1')
  expect(copy.someOn('node2', CART)?.meta.name).toBe('cart-2')
  expect(copy.someOn('node1', { ...CART, namespace: 'bank' })).toBeUndefined()
  tell('MODIFIED', at(2, one, { status: { phase: 'Failed' } }))
  await expect.poll(() => copy.someOn('node1', CART)).toBeUndefined()
  expect(copy.find('shop', 'cart-1')).toBeUndefined()
  tell('DELETED', at(3, pod('shop', 'cart-2', 'cart', 'node2')))
  await expect.poll(() => copy.size).toBe(0)
  expect(copy.someOn('node2', CART)).toBeUndefined()
})

test('a question that may be settled by a change waits for it, and no longer than it was told', async () => {
  await using cluster = open([])
  const { copy, clock, tell } = cluster
  await expect.poll(() => copy.isComplete).toBe(true)
  const ask = () => ({ isFinal: copy.someOn('node1', CART) !== undefined })
  const { signal } = new AbortController()
  const settled = copy.settle(ask, 2_000, signal)
  tell('ADDED', at(2, pod('shop', 'cart-1', 'cart', 'node1')))
  expect(await settled).toEqual({ isFinal: true })
  const never = copy.settle(() => ({ isFinal: false }), 2_000, signal)
  await clock.sleepers(1)
  clock.advance(2_000)
  expect(await never).toEqual({ isFinal: false })
  const gone = new AbortController()
  const left = copy.settle(() => ({ isFinal: false }), 2_000, gone.signal)
  gone.abort()
  expect(await left).toEqual({ isFinal: false })
})
