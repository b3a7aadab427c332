/**
 * Processor time of an agent for each attestation of a process in a pod, on a node of many pods: SPIRE's agent, ours that
 * asks the kubelet, and ours that watches the API server. Kubelet and API server are one program here that answers with the
 * same list to all. Needs root, for the caller's control group.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../spiffe/clock.ts'
import { controlGroup, noControlGroups } from '../test/interop/control-groups.ts'
import { type Agent, type Kind, startAgent, startServer } from '../test/processes/cluster.ts'

const PODS = 60
const POD_UID = '2c48913c-b29f-11e7-9350-020968147796'
const CONTAINER_ID = '9bca8d63d5fa610783847915bcff0ecac1273e5b4bed3f6fa1b07350e0135961'
/** About what a kubelet sends of a pod: fields that nobody reads here, but everybody has to parse. */
const BALLAST_FIELDS = 120
const BURST_CALLS = 500
/** Slower than a list of pods is used for: each call costs a list. */
const PACED_CALLS = 20
const PACED_MS = 650
/** Of a clock tick of the kernel. */
const TICK_MS = 10

export async function benchPodAttestation(kinds: readonly Kind[]): Promise<void> {
  const why = noControlGroups()
  if (why !== undefined) return console.log(`pod attestation: left out, it ${why}`)
  const dir = mkdtempSync(join(tmpdir(), 'bench-pods-'))
  const list = podList()
  const node = createServer((request, response) => {
    const isWatch = request.url?.includes('watch=true') === true
    response.writeHead(200)
    if (isWatch) response.flushHeaders()
    else response.end(list)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => node.once('listening', resolve))
  const { port } = node.address() as AddressInfo
  try {
    console.log(`pod attestation: ${PODS} pods, a list of ${Math.round(list.length / 1024)} KiB`)
    await using server = await startServer('steeple')
    const byKubelet = k8s(`kubelet_read_only_port = ${port}`)
    const kubeconfig = join(dir, 'kubeconfig')
    writeFileSync(kubeconfig, kubeconfigText(port))
    const byWatch = k8s(
      `pod_source = "api_server"\nnode_name = "node1"\nkubeconfig = "${kubeconfig}"`,
    )
    for (const kind of kinds.toReversed()) {
      await using agent = await startAgent(kind, server, { plugins: byKubelet })
      report(`${kind}, kubelet`, await measure(agent))
    }
    await using agent = await startAgent('steeple', server, { plugins: byWatch })
    report('steeple, watch', await measure(agent))
  } finally {
    node.closeAllConnections()
    node.close()
    rmSync(dir, { recursive: true })
  }
}

interface Cost {
  readonly burstMs: number
  readonly pacedMs: number
}

function report(name: string, { burstMs, pacedMs }: Cost): void {
  const burst = `${burstMs.toFixed(2)} ms of CPU each in a burst of ${BURST_CALLS}`
  console.log(`  ${name.padEnd(16)} ${burst}, ${pacedMs.toFixed(1)} ms of one each ${PACED_MS} ms`)
}

async function measure(agent: Agent): Promise<Cost> {
  await call(agent, BURST_CALLS, 0) // whatever is compiled is compiled now
  const beforeBurst = cpuMs(agent)
  await call(agent, BURST_CALLS, 0)
  const burst = cpuMs(agent) - beforeBurst
  const beforeIdle = cpuMs(agent)
  await systemClock.sleep(PACED_CALLS * PACED_MS)
  const idle = cpuMs(agent) - beforeIdle
  const beforePaced = cpuMs(agent)
  await call(agent, PACED_CALLS, PACED_MS)
  const paced = cpuMs(agent) - beforePaced - idle
  return { burstMs: burst / BURST_CALLS, pacedMs: paced / PACED_CALLS }
}

/** One process in a container, which asks for its SVIDs again and again. */
async function call(agent: Agent, calls: number, pauseMs: number): Promise<void> {
  using group = controlGroup(`/k/burstable/pod${POD_UID}/${CONTAINER_ID}`)
  const client = join(import.meta.dirname, 'workload-calls.ts')
  const args = [client, agent.socket, String(calls), String(pauseMs)]
  const caller = group.start(process.execPath, args)
  const code = await caller.ended
  if (code !== 0) throw new Error(`${client} ended with ${code}: ${caller.output()}`)
}

function cpuMs(agent: Agent): number {
  const stat = readFileSync(`/proc/${agent.process().pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

const k8s = (data: string) => `WorkloadAttestor "k8s" { plugin_data {\n${data}\n} }`

function podList(): string {
  const ballast = Array.from({ length: BALLAST_FIELDS }, (_, index) => ({
    [`f:field-${index}`]: { 'f:name': {}, 'f:value': { 'f:type': `kind-${index}` } },
  }))
  const items = Array.from({ length: PODS }, (_, index) => {
    const hex = index.toString(16).padStart(4, '0')
    const id = index === 0 ? CONTAINER_ID : CONTAINER_ID.replace(/^.{4}/, hex)
    return {
      metadata: {
        name: `pod-${index}`,
        namespace: 'shop',
        uid: index === 0 ? POD_UID : POD_UID.replace(/^.{4}/, hex),
        resourceVersion: '7',
        labels: { app: `app-${index % 7}`, tier: 'back' },
        managedFields: [{ manager: 'kubelet', fieldsV1: ballast }],
      },
      spec: { nodeName: 'node1', serviceAccountName: 'default', containers: [{ name: 'main' }] },
      status: {
        containerStatuses: [
          { name: 'main', image: 'shop/a:1', imageID: `sha256:${id}`, containerID: `x://${id}` },
        ],
      },
    }
  })
  return JSON.stringify({ kind: 'PodList', metadata: { resourceVersion: '9' }, items })
}

function kubeconfigText(port: number): string {
  return JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'c' },
    clusters: [
      {
        name: 'c',
        cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true },
      },
    ],
    users: [{ name: 'u', user: {} }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
  })
}
