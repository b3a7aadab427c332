/**
 * SPIRE's agent and ours look at the same processes in the same control groups, and ask the same kubelet: they find the
 * same selectors. Where ours refuses what SPIRE's believes, that stands beside it with the reason.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OTHER_ID, POD_UID, podListText, podObject, status } from '../agent/attest/k8s/pods.ts'
import { steeple } from '../processes/cluster.ts'
import { run } from '../processes/process.ts'
import { type AttestationPair, noPair, startPair } from './attestation-pair.ts'
import { controlGroup } from './control-groups.ts'

const ID = 'c0ffee00d5fa610783847915bcff0ecac1273e5b4bed3f6fa1b07350e0135961'
const STATIC_ID = '57a71c00ade839efec32b6bec4ec79d099027a668ddba043083ec21d3c3b8f1e'
const STATIC_UID = 'f0a1c5b7d9e84263a1b0c9d8e7f60514'
const OTHER_UID = 'a2830d0d-b0f0-4ff0-81b5-0ee4e299cf80'
const SLICE = `/k.slice/k-burstable.slice/k-burstable-pod${POD_UID.replaceAll('-', '_')}.slice`

const PODS = podListText(
  podObject({
    status: {
      containerStatuses: [status('cart', ID), status('proxy', undefined, 'mesh/proxy:2')],
      initContainerStatuses: [status('setup', OTHER_ID)],
    },
  }),
  podObject({
    metadata: {
      uid: STATIC_UID,
      name: 'etcd-node1',
      ownerReferences: undefined,
      labels: undefined,
    },
    spec: { serviceAccountName: undefined },
    status: { containerStatuses: [status('etcd', STATIC_ID)] },
  }),
)

const why = noPair()
if (why !== undefined) process.stderr.write(`SKIPPED workload attestation in pods: ${why}\n`)

describe.skipIf(why !== undefined)('in control groups', () => {
  const kubelet = createServer((_, response) => response.end(PODS))
  let pair: AttestationPair

  beforeAll(async () => {
    kubelet.listen(0, '127.0.0.1')
    await new Promise((resolve) => kubelet.once('listening', resolve))
    const plugins = `WorkloadAttestor "k8s" { plugin_data {
      kubelet_read_only_port = ${(kubelet.address() as AddressInfo).port}
      max_poll_attempts = 2
      poll_retry_interval = "50ms"
    } }`
    pair = await startPair('k8s', plugins)
  })
  afterAll(async () => {
    await pair?.[Symbol.asyncDispose]()
    kubelet.close()
  })

  test.for([
    ['a container, cgroupfs driver', [`/k/burstable/pod${POD_UID}/${ID}`], 'cart'],
    ['a container, systemd driver, containerd', [`${SLICE}/cri-containerd-${ID}.scope`], 'cart'],
    ['a container, systemd driver, CRI-O', [`${SLICE}/crio-${ID}.scope`], 'cart'],
    ['an init container', [`/k/burstable/pod${POD_UID}/${OTHER_ID}`], 'setup'],
    ['a static pod', [`/k/burstable/pod${STATIC_UID}/${STATIC_ID}`], 'etcd'],
    ['a group that a process made inside', [`/k/pod${POD_UID}/${ID}/workers`], 'cart'],
    ['a node that is a container', [`/docker/${'9'.repeat(64)}/k/pod${POD_UID}/${ID}`], 'cart'],
    ['one hierarchy that says nothing', [`/k/pod${POD_UID}/${ID}`, '/k2-quiet'], 'cart'],
  ] as const)('both find %s', async ([, paths, container]) => {
    const [spire, ours] = await pair.found(paths)
    expect(ours).toEqual(spire)
    expect(ours).toContain(`k8s:container-name:${container}`)
  })

  test.for([
    ['a service of the machine', ['/system.slice/k2.service']],
    ['two pods in two hierarchies', [`/k/pod${POD_UID}/${ID}`, `/k/pod${OTHER_UID}/${ID}`]],
    [
      'two containers in two hierarchies',
      [`/k/pod${POD_UID}/${ID}`, `/k/pod${POD_UID}/${OTHER_ID}`],
    ],
    ['a container that the kubelet has not', [`/k/pod${POD_UID}/${'7'.repeat(64)}`]],
    ['a pod that the kubelet has not', [`/k/pod${OTHER_UID}/${ID}`]],
    ['a container’s own container', [`/k/pod${POD_UID}/${ID}/docker/${'7'.repeat(64)}`]],
  ] as const)('neither finds a pod for %s', async ([, paths]) => {
    expect(await pair.found(paths)).toEqual([[], []])
  })

  test.for([
    [
      'a container that calls its own group as another pod’s',
      `/k/pod${OTHER_UID}/${'7'.repeat(64)}/pod${POD_UID}/${ID}`,
    ],
    ['a user who calls his own group so', `/user.slice/user-1000.slice/x/pod${POD_UID}/${ID}`],
  ] as const)(
    'ours alone refuses %s: whoever may make groups could be anybody',
    async ([, path]) => {
      const [spire, ours] = await pair.found([path])
      expect(spire).toContain('k8s:container-name:cart')
      expect(ours).toEqual([])
    },
  )

  test('ours alone refuses mounts that an unprivileged user has made: they name any container he likes', async () => {
    using target = controlGroup(`/k/burstable/pod${POD_UID}/${ID}`)
    const script = `mount --bind '${target.path}' /mnt && exec "$@"`
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
    const asNobody = [...nobody, 'unshare', '-Urm', 'sh', '-c', script, 'sh']
    const can = await run(asNobody[0] ?? '', [...asNobody.slice(1), 'true'], { timeoutMs: 10_000 })
    expect(can, 'a user may make namespaces here').toMatchObject({ code: 0 })
    const [spire, ours] = await pair.found(['/k2-nobody'], asNobody)
    expect(spire).toContain('k8s:container-name:cart')
    expect(ours).toEqual([])
    expect(pair.ours.process().output()).toContain('its mounts, which do, are not believed')
  })

  test('why says which check failed for a process in a pod, without waiting', async () => {
    const { server, ours } = pair
    const words = ['-parentID', ours.id, '-spiffeID', 'spiffe://example.org/cart']
    await server.cli('spire', 'entry', 'create', ...words, '-selector', 'k8s:ns:shop')
    using group = controlGroup(`/k/pod${POD_UID}/${'7'.repeat(64)}`)
    await using caller = group.start('sleep', ['300'])
    const why = async () => {
      const args = ['why', '-pid', String(caller.pid), '-socketPath', ours.adminSocket]
      return (await run(steeple, args, { timeoutMs: 30_000 })).stdout
    }
    await expect
      .poll(why, { timeout: 60_000, interval: 1000 })
      .toMatch(/wants k8s:ns:shop, and the k8s attestor failed: pod shop\/cart-1 is known, but its/)
  })
})
