/**
 * The room that talks to Kubernetes, against a real API server: who leads among servers, what is followed through a
 * restart of the API server, and how a server without rights says which one it lacks.
 */
import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect } from 'vitest'
import type { Cluster } from '../../kubernetes/cluster.ts'
import { copyObjects, type Followed } from '../../kubernetes/follow-objects.ts'
import { openCluster } from '../../kubernetes/open-cluster.ts'
import { statusOf } from '../../kubernetes/status.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { memoryLog } from '../fakes/memory-log.ts'
import { type Server, startServer } from '../processes/cluster.ts'
import { type Kubernetes, startKubernetes } from '../processes/kubernetes.ts'
import { until } from '../processes/process.ts'
import {
  apply,
  applyCrds,
  clusterSpiffeId,
  namespace,
  node,
  pod,
  serviceAccount,
} from './controller-objects.ts'
import { API_SERVER, interop, lacking } from './interop.ts'

const NEEDS = [...API_SERVER, 'spire-server'] as const

let kubernetes: Kubernetes
let cluster: Cluster
beforeAll(async () => {
  if (lacking(API_SERVER) !== undefined) return
  kubernetes = await startKubernetes()
  cluster = await openCluster({ kubeconfig: kubernetes.kubeconfig })
  await applyCrds(kubernetes)
  await apply(kubernetes, namespace('led'), node('one'))
  await apply(
    kubernetes,
    serviceAccount('led', 'default'),
    clusterSpiffeId('led', { spiffeIDTemplate: 'spiffe://{{ .TrustDomain }}/{{ .PodMeta.Name }}' }),
  )
}, 120_000)
afterAll(async () => {
  cluster?.[Symbol.dispose]()
  await kubernetes?.[Symbol.asyncDispose]()
})

const blocks = () => `controller_manager {
  cluster_name = "a"
  kube_config_file = "${kubernetes.kubeconfig}"
  gc_interval = "1s"
  leader_election {
    resource_namespace = "led"
    lease_duration = "4s"
    renew_deadline = "3s"
    retry_period = "500ms"
  }
}`

const paths = async (server: Server): Promise<readonly string[]> => {
  const { stdout } = await server.cli('spire', 'entry', 'show', '-output', 'json')
  const all: readonly { spiffe_id: { path: string } }[] = JSON.parse(stdout).entries
  return all.map(({ spiffe_id }) => spiffe_id.path).sort()
}

const has = (server: Server, path: string) =>
  until(`the entry ${path}`, async () => (await paths(server)).includes(path))

const holder = async () => {
  const words = ['get', 'lease', '-n', 'led', 'steeple-controller-manager']
  return await kubernetes.mustKubectl([...words, '-o', 'jsonpath={.spec.holderIdentity}'])
}

const count = (server: Server, line: string) => server.process().output().split(line).length - 1

interop(
  'of two servers one registers, and the other one when the first was killed',
  NEEDS,
  async () => {
    await using first = await startServer('steeple', { blocks: blocks() })
    await until('the first to lead', async () => count(first, 'Leading') === 1)
    await using second = await startServer('steeple', { blocks: blocks() })
    await apply(kubernetes, pod('led', 'a', { node: 'one' }))
    await has(first, '/a')
    const leader = await holder()
    expect(await paths(second)).toEqual([])
    first.process().kill('SIGKILL')
    await until('the second to lead', async () => count(second, 'Leading') === 1)
    await has(second, '/a')
    expect(await holder()).not.toBe(leader)

    // Somebody takes the lease away: what the pod gets is for whoever holds it now.
    const stolen = { spec: { holderIdentity: 'thief', leaseDurationSeconds: 5 } }
    const words = [
      'patch',
      'lease',
      '-n',
      'led',
      'steeple-controller-manager',
      '--type=merge',
      '-p',
    ]
    await kubernetes.mustKubectl([...words, JSON.stringify(stolen)])
    await until('the second to stop', async () => count(second, 'Lost the lease') === 1)
    await apply(kubernetes, pod('led', 'b', { node: 'one' }))
    expect(await paths(second)).toEqual(['/a'])
    await has(second, '/b')
    expect(count(second, 'Leading')).toBe(2)

    // A server that stops gives the lease back.
    await second[Symbol.asyncDispose]()
    expect(await holder()).toBe('')
  },
)

interop(
  'a copy follows real objects for as long as it is to, and no longer',
  API_SERVER,
  async () => {
    const names = new Set<string>()
    const stop = new AbortController()
    const copy = copyObjects<Followed>({
      ...{ cluster, path: '/api/v1/namespaces/led/configmaps', log: memoryLog().log },
      ...{ clock: systemClock, random: Math.random },
      read: (_, meta) => ({ meta }),
      changed: (change) => {
        if (change.kind === 'set') names.add(change.object.meta.name)
        else names.delete(change.before.meta.name)
      },
    })
    const following = copy.follow(stop.signal)
    await copy.complete
    const create = (name: string) =>
      kubernetes.mustKubectl(['create', 'configmap', '-n', 'led', name, '--from-literal=a=1'])
    await create('one')
    await until('one', async () => names.has('one'))
    await kubernetes.mustKubectl(['delete', 'configmap', '-n', 'led', 'one'])
    await until('one to be gone', async () => !names.has('one'))
    stop.abort()
    await following
    await create('two')
    expect(names.has('two')).toBe(false)
  },
)

interop('what the API server refuses comes with its number and its words', API_SERVER, async () => {
  const missing = cluster.request({ method: 'GET', path: '/api/v1/nodes/none' })
  const error: unknown = await missing.catch((refused: unknown) => refused)
  expect(statusOf(error)).toBe(404)
  expect(String(error)).toContain('nodes "none" not found')
  const again = cluster.request({
    ...{ method: 'POST', path: '/api/v1/namespaces' },
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'led' } },
  })
  expect(await again.catch((one) => one)).toMatchObject({ code: 'ALREADY_EXISTS' })
})

interop('a server that lacks a permission says which, and serves meanwhile', NEEDS, async () => {
  const token = await kubernetes.token('led', 'default')
  const kubeconfig = `${kubernetes.dir}/powerless`
  const text = await kubernetes.mustKubectl(['config', 'view', '--raw', '--minify', '-o', 'json'])
  const config = JSON.parse(text)
  config.users[0].user = { token }
  writeFileSync(kubeconfig, JSON.stringify(config), { mode: 0o600 })
  await using server = await startServer('steeple', {
    blocks: `controller_manager {
      cluster_name = "a"  kube_config_file = "${kubeconfig}"
      leader_election { leader_elect = false }
    }`,
  })
  await server.process().line(/pods is forbidden.*cannot list resource/)
  expect((await server.cli('spire', 'healthcheck')).code).toBe(0)
  expect(server.process().output()).not.toContain(token)
})
