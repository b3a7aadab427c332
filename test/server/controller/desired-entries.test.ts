/** Whatever happens in a cluster in whatever order: what is declared afterwards is what a look at everything declares. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Followed, ObjectChange } from '../../../kubernetes/follow-objects.ts'
import {
  createDesiredEntries,
  type DesiredEntries,
} from '../../../server/controller/desired-entries.ts'
import { tally } from '../../../server/controller/tally.ts'
import { endpoints, namespace, node, pod, settings, spiffeId } from './cluster.ts'

const empty = () => createDesiredEntries({ settings, ignoredNamespaces: [/^kube-/] })

type Kind = 'pod' | 'node' | 'namespace' | 'endpoints' | 'spiffeId'

const listenerOf = (desired: DesiredEntries, kind: Kind) =>
  ({
    pod: desired.podChanged,
    node: desired.nodeChanged,
    namespace: desired.namespaceChanged,
    endpoints: desired.endpointsChanged,
    spiffeId: desired.spiffeIdChanged,
    // Each object is given to the listener of its own kind.
  })[kind] as (change: ObjectChange<Followed>) => void

/** A cluster that tells its changes as a copy does. */
function createCluster(desired: DesiredEntries) {
  const objects = new Map<string, { readonly kind: Kind; readonly object: Followed }>()
  const drop = (name: string) => {
    const before = objects.get(name)
    if (before === undefined) return
    objects.delete(name)
    listenerOf(desired, before.kind)({ kind: 'removed', before: before.object })
  }
  return {
    objects,
    drop,
    set(kind: Kind, object: Followed) {
      const name = `${kind} ${object.meta.namespace}/${object.meta.name}`
      if (objects.get(name)?.object.meta.uid !== object.meta.uid) drop(name)
      const before = objects.get(name)?.object
      objects.set(name, { kind, object })
      listenerOf(desired, kind)({ kind: 'set', object, before })
    },
  }
}

const label = fc
  .record({}, { requiredKeys: [] })
  .chain(() => fc.constantFrom({}, { a: '1' }, { a: '2' }))
const name = fc.constantFrom('x', 'y', 'z')
const spec = fc.record({
  spiffeIDTemplate: fc.constantFrom(
    'spiffe://{{ .TrustDomain }}/{{ .PodMeta.Name }}',
    'spiffe://{{ .TrustDomain }}/same',
    'spiffe://{{ .TrustDomain }}/{{ .NodeMeta.Labels.a }}',
    '{{ nothing }}',
  ),
  namespaceSelector: fc.constantFrom({}, { matchLabels: { a: '1' } }),
  podSelector: fc.constantFrom({}, { matchLabels: { a: '1' } }),
  autoPopulateDNSNames: fc.boolean(),
  fallback: fc.boolean(),
})

type Act = (cluster: ReturnType<typeof createCluster>, turn: number) => void

const act: fc.Arbitrary<Act> = fc.oneof(
  fc
    .tuple(fc.constantFrom('n1', 'n2', 'kube-x'), name, fc.constantFrom('1', '2', '3'), name, label)
    .map(
      ([inNamespace, one, uid, on, labels]): Act =>
        (cluster) =>
          cluster.set('pod', pod(inNamespace, one, `${inNamespace}-${one}-${uid}`, on, labels)),
    ),
  fc.tuple(name, label).map(
    ([one, labels]): Act =>
      (cluster) =>
        cluster.set('node', node(one, labels)),
  ),
  fc.tuple(fc.constantFrom('n1', 'n2', 'kube-x'), label).map(
    ([one, labels]): Act =>
      (cluster) =>
        cluster.set('namespace', namespace(one, labels)),
  ),
  fc.tuple(name, fc.array(fc.constantFrom('n1-x-1', 'n1-y-1', 'n2-x-2'), { maxLength: 3 })).map(
    ([service, uids]): Act =>
      (cluster) =>
        cluster.set('endpoints', endpoints('n1', service, [...new Set(uids)])),
  ),
  fc.tuple(name, spec).map(
    ([one, value]): Act =>
      (cluster, turn) =>
        cluster.set('spiffeId', spiffeId(one, value, turn + 1)),
  ),
  fc.nat(20).map(
    (at): Act =>
      (cluster) => {
        const [dropped] = [...cluster.objects.keys()].slice(at)
        if (dropped !== undefined) cluster.drop(dropped)
      },
  ),
)

/** Everything that is declared, in an order of its own. */
const shown = (desired: DesiredEntries) => ({
  keys: [...desired.declarations.keys()]
    .map((key) => [
      key,
      desired.declarations
        .declared(key)
        .map((one) => JSON.stringify(one))
        .sort(),
    ])
    .sort(),
  statuses: [...tally(desired, new Map())].sort(([a], [b]) => (a < b ? -1 : 1)),
})

test('a look at what changed gives what a look at everything gives', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), fc.nat(5), (acts, pause) => {
      const desired = empty()
      const cluster = createCluster(desired)
      for (const [turn, one] of acts.entries()) {
        one(cluster, turn)
        if (turn % (pause + 1) === 0) desired.settle(1_000)
      }
      desired.settle(1_000)
      const fresh = empty()
      const again = createCluster(fresh)
      for (const { kind, object } of cluster.objects.values()) again.set(kind, object)
      fresh.settle(1_000)
      expect(shown(desired)).toEqual(shown(fresh))
    }),
    { numRuns: 300 },
  )
})

describe('a change concerns', () => {
  const TEMPLATE = 'spiffe://{{ .TrustDomain }}/{{ .PodMeta.Name }}'
  const settled = () => {
    const desired = empty()
    const cluster = createCluster(desired)
    cluster.set('namespace', namespace('n1'))
    for (const one of ['x', 'y']) cluster.set('node', node(one))
    for (const at of Array(10).keys()) {
      const labels = { a: String(at % 2) }
      cluster.set('pod', pod('n1', `p${at}`, `u${at}`, at < 3 ? 'x' : 'y', labels))
    }
    cluster.set('spiffeId', spiffeId('all', { spiffeIDTemplate: TEMPLATE }))
    desired.settle(1_000)
    return { desired, cluster }
  }
  test.for([
    [
      'nothing when an object comes again as it was',
      () => pod('n1', 'p1', 'u1', 'x', { a: '1' }),
      'pod',
      0,
    ],
    ['one pod when its labels change', () => pod('n1', 'p1', 'u1', 'x', { a: '3' }), 'pod', 1],
    ['the pods of a node', () => node('x', { zone: 'b' }), 'node', 3],
    ['nothing when a node’s heartbeat comes', () => node('x'), 'node', 0],
    ['the pods of a namespace', () => namespace('n1', { b: '1' }), 'namespace', 10],
    ['the pods behind a Service', () => endpoints('n1', 's', ['u1', 'u2']), 'endpoints', 2],
    [
      'the pods that a ClusterSPIFFEID selects',
      () =>
        spiffeId('odd', { spiffeIDTemplate: TEMPLATE, podSelector: { matchLabels: { a: '1' } } }),
      'spiffeId',
      5,
    ],
  ] as const)('%s', ([, object, kind, looked]) => {
    const { desired, cluster } = settled()
    cluster.set(kind, object())
    expect(desired.settle(1_000)).toBe(looked)
  })
})
