/** Deployments of `peer.mjs`: pods that get their SVIDs, talk mutual TLS, and say over HTTP who they are. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { listAt, readMeta, recordAt, textAt } from '../../kubernetes/object.ts'
import type { StoryContext } from './story.ts'

const PROGRAM = readFileSync(join(import.meta.dirname, 'peer.mjs'), 'utf8')
const READY_MS = 180_000
const ANSWER_MS = 8_000

export interface PeerDeployment {
  readonly namespace: string
  readonly name: string
  readonly serviceAccount: string
  readonly labels?: Readonly<Record<string, string>>
}

export interface PeerPod {
  readonly name: string
  readonly uid: string
  readonly ip: string
}

/** The program and the service account; the same for all peers of a namespace. */
export function peerObjects(namespace: string, serviceAccount: string): readonly object[] {
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name: serviceAccount } },
    {
      ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: 'peer' } },
      data: { 'peer.mjs': PROGRAM },
    },
  ]
}

export function peerDeployment(
  { image, chart }: Pick<StoryContext, 'image' | 'chart'>,
  { namespace, name, serviceAccount, labels = {} }: PeerDeployment,
): object {
  const matchLabels = { app: name }
  return {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { namespace, name } },
    spec: {
      replicas: 1,
      selector: { matchLabels },
      strategy: { type: 'Recreate' },
      template: {
        metadata: { labels: { ...matchLabels, ...labels } },
        spec: {
          serviceAccountName: serviceAccount,
          terminationGracePeriodSeconds: 1,
          automountServiceAccountToken: false,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [
            {
              ...{ name: 'peer', image, imagePullPolicy: 'Never' },
              command: ['/usr/local/bin/node', '/peer/peer.mjs'],
              env: [
                { name: 'SPIFFE_ENDPOINT_SOCKET', value: `unix:///spiffe/${chart.socketName}` },
              ],
              securityContext: {
                readOnlyRootFilesystem: true,
                allowPrivilegeEscalation: false,
                capabilities: { drop: ['ALL'] },
              },
              readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
              volumeMounts: [
                { name: 'peer', mountPath: '/peer', readOnly: true },
                { name: 'spiffe', mountPath: '/spiffe', readOnly: true },
              ],
            },
          ],
          volumes: [
            { name: 'peer', configMap: { name: 'peer' } },
            { name: 'spiffe', hostPath: { path: chart.socketDir, type: 'Directory' } },
          ],
        },
      },
    },
  }
}

/** Every running pod must be wanted: the one pod of a Deployment once it is ready. */
export async function readyPeer(
  { mustKubectl, until }: Pick<StoryContext, 'mustKubectl' | 'until'>,
  namespace: string,
  name: string,
): Promise<PeerPod> {
  return await until(
    `a ready pod of ${namespace}/${name}`,
    async () => {
      const printed = await mustKubectl([
        ...['get', 'pods', '-n', namespace, '-l', `app=${name}`, '-o', 'json'],
      ])
      const pods = listAt(JSON.parse(printed), 'items').filter(
        (pod) => readMeta(pod)?.deletedAt === undefined,
      )
      const [pod] = pods
      const status = recordAt(pod, 'status')
      const ready = listAt(status, 'conditions').find((one) => textAt(one, 'type') === 'Ready')
      const [meta, ip] = [readMeta(pod), textAt(status, 'podIP')]
      if (meta === undefined || ip === undefined || pods.length !== 1) return undefined
      if (textAt(ready, 'status') !== 'True') return undefined
      return { name: meta.name, uid: meta.uid, ip }
    },
    READY_MS,
  )
}

/** The SPIFFE IDs that a peer has now. */
export async function idsOf({ ip }: PeerPod): Promise<readonly string[]> {
  return JSON.parse(await ask(`http://${ip}:8080/`))
}

/** Lets one peer call another by mutual TLS. @returns by which ID the other knows it; rejects when it is refused */
export async function callFrom({ ip }: PeerPod, other: PeerPod): Promise<string> {
  const url = new URL(`http://${ip}:8080/`)
  url.searchParams.set('call', `https://${other.ip}:8443/`)
  return await ask(url.href)
}

async function ask(url: string): Promise<string> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) })
  const body = await answer.text()
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${body}`)
  return body
}

/** Entries of one ClusterSPIFFEID for all pods of namespaces with a label. */
export function clusterSpiffeId(
  { chart }: Pick<StoryContext, 'chart'>,
  name: string,
  spec: object,
): object {
  return {
    ...{ apiVersion: 'spire.spiffe.io/v1alpha1', kind: 'ClusterSPIFFEID', metadata: { name } },
    spec: { className: chart.className, ...spec },
  }
}
