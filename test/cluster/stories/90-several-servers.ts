/**
 * Three servers of the chart on one PostgreSQL: what is written at one is served by all; one is killed, one is evicted as by
 * a drain, then all are rolled. Meanwhile two pods whose SVIDs live two minutes never stop talking, and new pods get theirs.
 */
import { listAt, readMeta, recordAt, textAt } from '../../../kubernetes/object.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import { steeple } from '../../processes/cluster.ts'
import { run } from '../../processes/process.ts'
import { helm } from '../install-chart.ts'
import {
  callFrom,
  clusterSpiffeId,
  idsOf,
  type PeerPod,
  peerDeployment,
  peerObjects,
  readyPeer,
} from '../peers-in-pods.ts'
import {
  askPod,
  openDatabase,
  openVolumes,
  PODS,
  several,
  upgradeSeveral,
} from '../several-servers.ts'
import type { Story, StoryContext } from '../story.ts'

const NAME = 'stories-several-peers'
const PATIENCE_MS = 120_000
const CALL_PACE_MS = 250

export const story: Story = {
  title:
    'three servers on PostgreSQL: one killed, one evicted, all rolled, and pods are served all the time',
  needs: 'image',
  async run(context) {
    const setting: StoryContext = { ...context, chart: several }
    await install(setting)
    const namespace = await context.namespace(NAME, { story: NAME })
    const deploy = (name: string) => deployPeer(setting, namespace, name)
    const [a, b] = [await deploy('a'), await deploy('b')]
    const talk = talkOn(a, b)
    context.afterwards(() => talk.stop())

    await servedByAll(setting, 'before')
    await context.mustKubectl([
      ...['delete', 'pod', '-n', several.namespace, PODS[0] ?? '', '--grace-period=0', '--force'],
    ])
    await deploy('during-the-kill')
    await allReady(setting)
    await servedByAll(setting, 'killed')

    await evict(setting, PODS[1] ?? '', 201)
    // The budget lets one be away at a time: nobody drains two of them together.
    await evict(setting, PODS[2] ?? '', 429)
    await deploy('during-the-drain')
    await allReady(setting)
    await servedByAll(setting, 'drained')

    const before = await podUids(setting)
    await Promise.all([upgradeSeveral(context, { logLevel: 'DEBUG' }), deploy('during-the-roll')])
    const after = await podUids(setting)
    if (after.some((uid) => before.includes(uid))) throw new Error('not every server was rolled')
    await servedByAll(setting, 'rolled')

    const { calls, failures } = await talk.stop()
    if (failures.length > 0) throw new Error(`${failures.length} calls failed: ${failures[0]}`)
    await doctorIsContent(setting)
    return `${calls} calls between two pods meanwhile, none failed`
  },
}

async function install(context: StoryContext): Promise<void> {
  const { namespace, release } = several
  await openVolumes(context)
  await context.namespace(namespace)
  const { password } = await openDatabase(context)
  context.afterwards(() => helm(context.cluster, ['uninstall', release, '-n', namespace, '--wait']))
  await upgradeSeveral(context)
  const shown = await context.mustKubectl([
    ...['get', 'configmaps,statefulsets,pods,events', '-n', namespace, '-o', 'json'],
  ])
  const logs = await Promise.all(
    PODS.map((pod) => context.mustKubectl(['logs', '-n', namespace, pod, '--all-containers'])),
  )
  if ([shown, ...logs].some((text) => text.includes(password.slice(0, 36)))) {
    throw new Error('the password of the database is shown')
  }
  context.afterwards(() =>
    context.mustKubectl(['delete', 'clusterspiffeid', NAME, '--ignore-not-found']),
  )
  await context.apply(
    clusterSpiffeId(context, NAME, {
      spiffeIDTemplate: 'spiffe://{{ .TrustDomain }}/peers/{{ .PodMeta.Labels.app }}',
      namespaceSelector: { matchLabels: { story: NAME } },
    }),
  )
}

async function deployPeer(context: StoryContext, namespace: string, name: string) {
  await context.apply(
    ...peerObjects(namespace, 'peer'),
    peerDeployment(context, { namespace, name, serviceAccount: 'peer' }),
  )
  const peer = await readyPeer(context, namespace, name)
  const expected = `spiffe://${several.trustDomain}/peers/${name}`
  await context.until(
    `${name} to be ${expected}`,
    async () => (await idsOf(peer)).includes(expected),
    PATIENCE_MS,
  )
  return peer
}

/** Calls in both directions, on and on, until it is stopped. */
function talkOn(a: PeerPod, b: PeerPod) {
  const over = new AbortController()
  const failures: string[] = []
  let calls = 0
  const talking = (async () => {
    for (; !over.signal.aborted; calls += 2) {
      await Promise.all([callFrom(a, b), callFrom(b, a)]).catch((error: unknown) =>
        failures.push(String(error)),
      )
      await systemClock.sleep(CALL_PACE_MS, over.signal)
    }
  })()
  return {
    async stop() {
      over.abort()
      await talking
      return { calls, failures }
    },
  }
}

/** Each server writes an entry, and each shows those of all. */
async function servedByAll(context: StoryContext, when: string): Promise<void> {
  const ids = PODS.map((_, at) => `${when}-${at}`)
  for (const [at, pod] of PODS.entries()) {
    await askPod(
      ...([context, pod, 'server', 'entry', 'create', '-entryID', ids[at] ?? ''] as const),
      ...['-parentID', `spiffe://${several.trustDomain}/nobody`, '-selector', 'k8s:ns:nowhere'],
      ...['-spiffeID', `spiffe://${several.trustDomain}/${ids[at]}`],
    )
  }
  for (const pod of PODS) {
    for (const id of ids) await askPod(context, pod, 'server', 'entry', 'show', '-entryID', id)
  }
}

async function evict({ kubectl }: StoryContext, name: string, expected: 201 | 429): Promise<void> {
  const { namespace } = several
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { namespace, name } }
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`
  const { code, stderr } = await kubectl(
    ['create', '--raw', path, '-f', '-'],
    JSON.stringify(eviction),
  )
  const isAsExpected =
    expected === 201 ? code === 0 : code !== 0 && /disruption budget/.test(stderr)
  if (!isAsExpected) throw new Error(`eviction of ${name} ended with ${code}: ${stderr}`)
}

async function podsOf({ mustKubectl }: StoryContext): Promise<readonly unknown[]> {
  const printed = await mustKubectl([
    ...['get', 'pods', '-n', several.namespace, '-l', 'app.kubernetes.io/component=server'],
    ...['-o', 'json'],
  ])
  return listAt(JSON.parse(printed), 'items')
}

const podUids = async (context: StoryContext) =>
  (await podsOf(context)).map((pod) => readMeta(pod)?.uid)

async function allReady(context: StoryContext): Promise<void> {
  await context.until(
    'all servers to be ready',
    async () => {
      const ready = (await podsOf(context)).filter((pod) => {
        const conditions = listAt(recordAt(pod, 'status'), 'conditions')
        const isReady = conditions.some(
          (one) => textAt(one, 'type') === 'Ready' && textAt(one, 'status') === 'True',
        )
        return isReady && readMeta(pod)?.deletedAt === undefined
      })
      return ready.length === PODS.length
    },
    PATIENCE_MS,
  )
}

async function doctorIsContent({ cluster, until }: StoryContext): Promise<void> {
  const args = ['k8s', 'doctor', '-kubeconfig', cluster.kubeconfig, '-namespace', several.namespace]
  let said = ''
  await until(
    'the doctor to find nothing',
    async () => {
      const { code, stdout, stderr } = await run(steeple, args, { timeoutMs: 60_000 })
      said = `${stdout}${stderr}`
      return code === 0 && /Nothing is wrong/.test(stdout)
    },
    PATIENCE_MS,
  ).catch((error: unknown) => {
    throw new Error(`the doctor said: ${said}`, { cause: error })
  })
}
