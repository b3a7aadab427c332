/**
 * What servers write into the status of policies at a real API server: whether each is accepted and what looks wrong in it, by
 * one of the servers alone, and not again when nothing has changed.
 */
import { join } from 'node:path'
import { expect } from 'vitest'
import { startServer } from '../processes/cluster.ts'
import { type Kubernetes, startKubernetes } from '../processes/kubernetes.ts'
import { API_SERVER, interop } from './interop.ts'

const CRDS = join(import.meta.dirname, '..', '..', 'deploy', 'crds', 'istio-security.yaml')
const SOON = { timeout: 40_000, interval: 100 }

interface Seen {
  readonly metadata: { readonly resourceVersion: string; readonly generation: number }
  readonly status?: {
    readonly conditions: readonly {
      readonly type: string
      readonly status: string
      readonly message: string
      readonly observedGeneration: number
    }[]
  }
}

async function see(kube: Kubernetes, name: string): Promise<Seen> {
  const words = ['get', '-n', 'shop', `authorizationpolicy/${name}`, '-o', 'json']
  return JSON.parse(await kube.mustKubectl(words))
}

async function conditions(kube: Kubernetes, name: string) {
  const { status } = await see(kube, name)
  return status?.conditions.map(({ type, status: is }) => `${type} ${is}`)
}

const policy = (name: string, spec: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${name}, namespace: shop }
spec: ${spec}
`

const GOOD = '{ rules: [{ from: [{ source: { namespaces: [shop] } }] }] }'
const BAD = '{ rules: [{ from: [{ source: { ipBlocks: ["10.0.0.0/99"] } }] }] }'
const DOUBTFUL = '{ rules: [{ from: [{ source: { principals: ["spiffe://example.org/web"] } }] }] }'

interop(
  'the status of each policy says whether it is accepted, and why not',
  API_SERVER,
  async () => {
    await using kube = await startKubernetes()
    await kube.mustKubectl(['apply', '-f', CRDS])
    await kube.mustKubectl(['wait', '--for=condition=Established', '-f', CRDS])
    await kube.mustKubectl(['create', 'ns', 'shop'])
    const apply = (name: string, spec: string) =>
      kube.mustKubectl(['apply', '-f', '-'], policy(name, spec))
    await apply('good', GOOD)
    await apply('bad', BAD)
    const blocks = `policy_status { kube_config_file = "${kube.kubeconfig}"  lease_namespace = "shop" }`
    await using one = await startServer('steeple', { blocks })
    await using other = await startServer('steeple', { blocks })
    const good = ['Accepted True', 'LintPassed True']
    await expect.poll(() => conditions(kube, 'good'), SOON).toEqual(good)
    await expect
      .poll(() => conditions(kube, 'bad'), SOON)
      .toEqual(['Accepted False', 'LintPassed Unknown'])
    const { status } = await see(kube, 'bad')
    expect(status?.conditions[0]?.message).toMatch(/ipBlocks: .*10\.0\.0\.0\/99/)
    expect(await kube.mustKubectl(['get', 'authorizationpolicy', '-n', 'shop'])).toMatch(
      /bad +False .*\n.*good +True /,
    )
    const before = await see(kube, 'good')

    await apply('doubtful', DOUBTFUL)
    await expect
      .poll(() => conditions(kube, 'doubtful'), SOON)
      .toEqual(['Accepted True', 'LintPassed False'])
    await apply('bad', GOOD.replace('shop', 'pay'))
    await expect.poll(() => conditions(kube, 'bad'), SOON).toEqual(good)
    const corrected = await see(kube, 'bad')
    const generations = corrected.status?.conditions.map((each) => each.observedGeneration)
    expect(generations).toEqual([corrected.metadata.generation, corrected.metadata.generation])
    // Rounds have gone by since, and nothing was written that was there already.
    expect(await see(kube, 'good')).toEqual(before)

    const leaders = [one, other].filter((server) => server.process().output().includes('Leading'))
    expect(leaders).toHaveLength(1)
    const [leader] = leaders
    leader?.process().kill('SIGTERM')
    await leader?.process().ended
    await apply('after', BAD)
    await expect
      .poll(() => conditions(kube, 'after'), SOON)
      .toEqual(['Accepted False', 'LintPassed Unknown'])
  },
)
