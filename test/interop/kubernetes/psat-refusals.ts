/** Attestations by k8s_psat that a server must refuse, each with what SPIRE's server says where ours says it otherwise. */
import { writeK8sPsatPayload } from '../../../proto/k8s-psat.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import {
  AUDIENCE,
  createPod,
  deletePod,
  forgeToken,
  type PsatWorld,
  podToken,
} from './psat-world.ts'

export interface PsatRefusal {
  readonly title: string
  readonly payload: Uint8Array
  /** Undefined: status and text are the same. */
  readonly differs?: {
    readonly ours: string
    readonly spire: string
    /** Why: our bound is lower than the API server's, which nobody may make us fill. */
    readonly inStatus?: true
  }
}

const sent = (cluster: string, token: string) => writeK8sPsatPayload({ cluster, token })

/** Creates the pods that the tokens need. */
export async function psatRefusals(world: PsatWorld): Promise<readonly PsatRefusal[]> {
  const { main } = world
  await createPod(main, { name: 'good', node: 'node1' })
  const good = await podToken(main, 'good')
  return [
    ...(await deadTokens(world)),
    ...(await tokensOfOthers(world)),
    ...(await wrongPlaces(world, good)),
    ...malformed(good),
  ]
}

/** Tokens that this cluster made, or could have made, and that are good no more. */
async function deadTokens({ main }: PsatWorld): Promise<readonly PsatRefusal[]> {
  const uid = await createPod(main, { name: 'gone', node: 'node1' })
  const gone = await podToken(main, 'gone')
  await deletePod(main, 'gone')
  const ofServiceAccount = ['get', 'serviceaccount', '-n', 'agents', 'agent']
  const account = await main.mustKubectl([...ofServiceAccount, '-o', 'jsonpath={.metadata.uid}'])
  const now = systemClock.now()
  const forged = (pod: object, more: object = {}) => {
    const serviceaccount = { name: 'agent', uid: account }
    const claims = { sub: 'system:serviceaccount:agents:agent', ...more }
    const bound = { 'kubernetes.io': { namespace: 'agents', serviceaccount, pod } }
    return sent('main', forgeToken(main, { ...claims, ...bound }, now))
  }
  const pod = { name: 'good', uid }
  return [
    { title: 'a pod that is gone', payload: sent('main', gone) },
    { title: 'expired', payload: forged(pod, { exp: 1 }) },
    { title: 'the pod of that name has another UID', payload: forged(pod) },
    { title: 'another issuer', payload: forged(pod, { iss: 'https://other.example' }) },
  ]
}

/** Good tokens, but not of an agent's. */
async function tokensOfOthers({ main, second }: PsatWorld): Promise<readonly PsatRefusal[]> {
  await createPod(main, { name: 'workload', node: 'node1', serviceAccount: 'workload' })
  await createPod(second, { name: 'good', node: 'node1' })
  const unbound = await main.token('agents', 'agent', ['--audience', AUDIENCE])
  const raw = ['config', 'view', '--raw', '-o', 'jsonpath={.users[0].user.token}']
  return [
    {
      title: 'another audience',
      payload: sent('main', await podToken(main, 'good', 'agent', 'x')),
    },
    { title: 'a workload', payload: sent('main', await podToken(main, 'workload', 'workload')) },
    { title: 'another cluster’s pod', payload: sent('main', await podToken(second, 'good')) },
    { title: 'bound to no pod', payload: sent('main', unbound) },
    { title: 'a person', payload: sent('own-audience', await main.mustKubectl(raw)) },
  ]
}

async function wrongPlaces({ main }: PsatWorld, good: string): Promise<readonly PsatRefusal[]> {
  await createPod(main, { name: 'ghostly', node: 'ghost' })
  await createPod(main, { name: 'pending' })
  const cannot = (cluster: string) =>
    `unable to validate token with TokenReview API for cluster "${cluster}": unable to `
  return [
    { title: 'a node that is not there', payload: sent('main', await podToken(main, 'ghostly')) },
    { title: 'a pod on no node', payload: sent('main', await podToken(main, 'pending')) },
    { title: 'for the API server itself', payload: sent('own-audience', good) },
    { title: 'an unknown cluster', payload: sent('nowhere', good) },
    { title: 'the name of no cluster', payload: sent('../main', good) },
    { title: 'a cluster that may not be asked', payload: sent('powerless', good) },
    {
      title: 'a cluster whose nodes may not be read',
      payload: sent('blind', await podToken(main, 'good')),
    },
    {
      title: 'a cluster that is away',
      payload: sent('away', good),
      differs: {
        ours: `${cannot('away')}query token review API: the API server https://127.0.0.1:`,
        spire: `${cannot('away')}query token review API: Post "https://127.0.0.1:`,
      },
    },
    {
      title: 'a cluster without its kubeconfig',
      payload: sent('lost', good),
      differs: {
        ours: `${cannot('lost')}get clientset: cannot use the kubeconfig`,
        spire: `${cannot('lost')}get clientset: unable to create client config`,
      },
    },
  ]
}

function malformed(good: string): readonly PsatRefusal[] {
  const json = (value: unknown) => Buffer.from(JSON.stringify(value))
  const unreadable = (title: string, text: string, ours: string, spire: string): PsatRefusal => ({
    ...{ title, payload: Buffer.from(text) },
    differs: { ours: `failed to unmarshal data payload: ${ours}`, spire },
  })
  const large = (bytes: number, ours: string, spire: string): PsatRefusal => ({
    title: `${bytes} bytes`,
    payload: sent('main', 'x'.repeat(bytes)),
    differs: { ours, spire, inStatus: true },
  })
  return [
    { title: 'no token at all', payload: sent('main', 'x.y.z') },
    { title: 'what no token has in it', payload: sent('main', '\u0000\n%00') },
    { title: 'a token within', payload: sent('main', `${good}\n${good}`) },
    { title: 'no cluster', payload: json({ token: good }) },
    { title: 'no token', payload: json({ cluster: 'main' }) },
    { title: 'empty texts', payload: json({ cluster: '', token: '' }) },
    { title: 'an empty token', payload: json({ cluster: 'main', token: '' }) },
    { title: 'nulls', payload: json({ cluster: null, token: null }) },
    { title: 'nothing', payload: json(null) },
    unreadable('half of it', '{"cluster"', 'it is not JSON', 'unexpected end of JSON input'),
    unreadable('more than it', '{} {}', 'it is not JSON', 'after top-level value'),
    unreadable('a list', '[]', 'the whole is not', 'cannot unmarshal array'),
    unreadable(
      'a number',
      '{"cluster":"main","token":1}',
      'token is not',
      'cannot unmarshal number',
    ),
    large(
      500_000,
      'INVALID_ARGUMENT: nodeattestor(k8s_psat): attestation data of',
      'INTERNAL: nodeattestor(k8s_psat): unable to validate token',
    ),
    // Whoever has no certificate yet may not fill our memory with messages of the size of SPIRE's.
    large(
      3_500_000,
      'RESOURCE_EXHAUSTED: Received message larger than max',
      'Request entity too large',
    ),
  ]
}
