/**
 * Node attestation by projected service account tokens: our server and SPIRE's with the same configuration before the
 * same real API servers, agents of both kinds, and every refusal beside SPIRE's.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { writeK8sPsatPayload } from '../../proto/k8s-psat.ts'
import { type Kind, type Server, startAgent } from '../processes/cluster.ts'
import { until } from '../processes/process.ts'
import { API_SERVER, interop, lacking } from './interop.ts'
import { psatRefusals } from './kubernetes/psat-refusals.ts'
import {
  createPod,
  deletePod,
  openPsatWorld,
  type PsatWorld,
  podToken,
} from './kubernetes/psat-world.ts'
import { attestByHand } from './suites/node-by-hand.ts'
import { verdict } from './suites/rpc.ts'

const NEEDS = [...API_SERVER, 'spire-server', 'spire-agent'] as const

let world: PsatWorld
beforeAll(async () => {
  if (lacking(NEEDS) === undefined) world = await openPsatWorld()
}, 120_000)
afterAll(async () => await world?.[Symbol.asyncDispose]())

const sent = (cluster: string, token: string) => writeK8sPsatPayload({ cluster, token })

const attest = async (server: Server, payload: Uint8Array) =>
  await attestByHand(server, { type: 'k8s_psat', payload })

const nodeUid = async (name: string) =>
  await world.main.mustKubectl(['get', 'node', name, '-o', 'jsonpath={.metadata.uid}'])

/** Lines of `agent show`, without those that differ from one attestation to the next. */
async function shown(server: Server, id: string): Promise<readonly string[]> {
  const { stdout } = await server.cli('spire', 'agent', 'show', '-spiffeID', id)
  return stdout.split('\n').filter((line) => !/Expiration|Serial/.test(line))
}

interop('a pod’s token stands for its node, with the selectors of SPIRE’s', NEEDS, async () => {
  const uid = await createPod(world.main, { name: 'right', node: 'node1' })
  const token = await podToken(world.main, 'right')
  const node = await nodeUid('node1')
  for (const [cluster, path, selectors] of [
    ['main', `main/${node}`, 10],
    ['pods', `pods/pod/${uid}`, 8],
    ['audiences', `audiences/${node}`, 8],
    ['least-rights', `least-rights/${node}`, 8],
  ] as const) {
    const ours = await attest(world.ours, sent(cluster, token))
    const theirs = await attest(world.spire, sent(cluster, token))
    expect(ours.id).toBe(`spiffe://example.org/spire/agent/k8s_psat/${path}`)
    expect(theirs.id).toBe(ours.id)
    expect([ours.reattestable, theirs.reattestable]).toEqual([true, true])
    const lines = await shown(world.ours, ours.id)
    expect(lines).toEqual(await shown(world.spire, ours.id))
    expect(lines.filter((line) => line.includes('k8s_psat:')).length).toBe(selectors)
  }
})

interop('each refusal has the status of SPIRE’s, and its text', NEEDS, async () => {
  for (const { title, payload, differs } of await psatRefusals(world)) {
    const ours = await verdict(attest(world.ours, payload))
    const theirs = await verdict(attest(world.spire, payload))
    expect(theirs, title).not.toBe('OK')
    if (differs === undefined) expect(ours, title).toBe(theirs)
    else {
      expect(ours, title).toContain(differs.ours)
      expect(theirs, title).toContain(differs.spire)
      if (!differs.inStatus) expect(ours.split(':')[0], title).toBe(theirs.split(':')[0])
    }
  }
})

// SPIRE's server takes it for those ten seconds, for it does not compare the UIDs.
interop('a pod that took the name of another is not taken for it', NEEDS, async () => {
  await createPod(world.main, { name: 'reused', node: 'node1' })
  const payload = sent('pods', await podToken(world.main, 'reused'))
  await attest(world.ours, payload) // the API server keeps what it found of a token for ten seconds
  await deletePod(world.main, 'reused')
  await createPod(world.main, { name: 'reused', node: 'node1' })
  const ours = await verdict(attest(world.ours, payload))
  expect(ours).toMatch(
    /^(PERMISSION_DENIED: .* has UID .*, but the token is of the one with UID|INTERNAL: .*(UID|invalidated))/,
  )
})

const PAIRS: readonly (readonly [Kind, Kind])[] = [
  ['steeple', 'steeple'],
  ['steeple', 'spire'],
  ['spire', 'steeple'],
  ['spire', 'spire'],
]

for (const [serverKind, agentKind] of PAIRS) {
  const title = `${serverKind} server, ${agentKind} agent: attested, evicted, and attested again with the token of now`
  interop(title, NEEDS, async () => {
    const server = serverKind === 'steeple' ? world.ours : world.spire
    const pod = `${agentKind}-under-${serverKind}`
    const uid = await createPod(world.main, { name: pod, node: 'node2' })
    const tokenPath = join(server.dir, `${pod}.token`)
    writeFileSync(tokenPath, await podToken(world.main, pod))
    await using agent = await startAgent(agentKind, server, {
      nodeAttestor: {
        block: `NodeAttestor "k8s_psat" { plugin_data { cluster = "pods" token_path = "${tokenPath}" } }`,
        id: `spiffe://example.org/spire/agent/k8s_psat/pods/pod/${uid}`,
      },
    })
    const first = await shown(server, agent.id)
    expect(first.join('\n')).toContain(`k8s_psat:agent_pod_name:${pod}`)

    // The pod is replaced: only the token that is read now can speak for the new one.
    await deletePod(world.main, pod)
    const next = await createPod(world.main, { name: pod, node: 'node2' })
    writeFileSync(tokenPath, await podToken(world.main, pod))
    const evicted = await server.cli('spire', 'agent', 'evict', '-spiffeID', agent.id)
    expect(evicted.stdout).toContain('evicted')
    const nextId = `spiffe://example.org/spire/agent/k8s_psat/pods/pod/${next}`
    await until('the agent to attest again', async () =>
      (await shown(server, nextId)).some((line) => line.includes(next)),
    )
    await agent.healthy()
  })
}
