import { expect, test } from 'vitest'
import type { ObjectMeta } from '../../../kubernetes/object.ts'
import { judgeNode } from '../../../server/mesh/istio-ca/judge-node.ts'
import type { KnownPods, NodePod } from '../../../server/mesh/istio-ca/node-pods.ts'
import type { TokenAccount } from '../../../server/mesh/service-account.ts'

const meta = (namespace: string, name: string, uid: string): ObjectMeta => ({
  ...{ namespace, name, uid, resourceVersion: '1', generation: 0, labels: {}, annotations: {} },
  ...{ owners: [], createdAt: undefined, deletedAt: undefined },
})
const pod = (namespace: string, serviceAccount: string, node: string, uid = 'u1'): NodePod => ({
  meta: meta(namespace, serviceAccount, uid),
  ...{ serviceAccount, node },
})
const known = (...pods: readonly NodePod[]): KnownPods => ({
  find: (namespace, name) =>
    pods.find((one) => one.meta.namespace === namespace && one.meta.name === name),
  someOn: (node, account) =>
    pods.find(
      (one) =>
        one.node === node &&
        one.meta.namespace === account.namespace &&
        one.serviceAccount === account.name,
    ),
})

const ztunnel = pod('istio-system', 'ztunnel', 'node1')
const cart = { namespace: 'shop', name: 'cart' }
const caller: TokenAccount = {
  account: { namespace: 'istio-system', name: 'ztunnel' },
  pod: { name: 'ztunnel', uid: 'u1' },
}
const TRUSTED = new Set(['istio-system/ztunnel'])

test('a trusted node’s proxy may have the identity of a pod on its own node', () => {
  const own = pod('shop', 'cart', 'node1')
  const verdict = judgeNode(caller, cart, TRUSTED, known(ztunnel, own))
  expect(verdict).toEqual({ kind: 'allow', isFinal: true, pod: own })
  const elsewhere = pod('shop', 'cart', 'node2', 'u2')
  expect(judgeNode(caller, cart, TRUSTED, known(ztunnel, elsewhere, own)).kind).toBe('allow')
})

test.for([
  [
    'nobody is trusted',
    caller,
    new Set<string>(),
    [ztunnel, pod('shop', 'cart', 'node1')],
    'node-account',
    true,
    /trusted_node_accounts has nobody/,
  ],
  [
    'another account is trusted',
    caller,
    new Set(['kube-system/ztunnel']),
    [ztunnel, pod('shop', 'cart', 'node1')],
    'node-account',
    true,
    /istio-system\/ztunnel is not trusted .* kube-system\/ztunnel/,
  ],
  [
    'its token is bound to no pod',
    { ...caller, pod: undefined },
    TRUSTED,
    [ztunnel, pod('shop', 'cart', 'node1')],
    'node',
    true,
    /bound to no pod/,
  ],
  [
    'its pod is not known',
    caller,
    TRUSTED,
    [pod('shop', 'cart', 'node1')],
    'node',
    false,
    /istio-system\/ztunnel of the caller is not known/,
  ],
  [
    'its pod was replaced',
    { ...caller, pod: { name: 'ztunnel', uid: 'u0' } },
    TRUSTED,
    [ztunnel, pod('shop', 'cart', 'node1')],
    'node',
    false,
    /has UID u1, but the token is of the one with UID u0/,
  ],
  [
    'its pod runs as another account',
    caller,
    TRUSTED,
    [{ ...ztunnel, serviceAccount: 'other' }, pod('shop', 'cart', 'node1')],
    'node',
    true,
    /runs as other/,
  ],
  [
    'nobody of that name is there',
    caller,
    TRUSTED,
    [ztunnel],
    'node',
    false,
    /no pod of shop\/cart is on node node1/,
  ],
  [
    'who has that name is on another node',
    caller,
    TRUSTED,
    [ztunnel, pod('shop', 'cart', 'node2')],
    'node',
    false,
    /no pod of shop\/cart is on node node1/,
  ],
  [
    'who is there is of another namespace',
    caller,
    TRUSTED,
    [ztunnel, pod('bank', 'cart', 'node1')],
    'node',
    false,
    /no pod of shop\/cart/,
  ],
] as const)(
  'a node’s proxy gets nothing when %s',
  ([, who, trusted, pods, check, isFinal, why]) => {
    const verdict = judgeNode(who, cart, trusted, known(...pods))
    expect(verdict).toMatchObject({ kind: 'deny', check, isFinal, why: expect.stringMatching(why) })
  },
)
