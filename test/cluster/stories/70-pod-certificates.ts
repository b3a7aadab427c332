/**
 * A pod without an agent: its certificate comes from a `podCertificate` volume that our server signs, and its roots from
 * a `clusterTrustBundle` volume that our server fills. It does mutual TLS with a workload that has its SVID from an agent,
 * over the Workload API; a pod that no entry allows gets nothing, and is told why.
 */
import { rm } from 'node:fs/promises'
import type { TLSSocket } from 'node:tls'
import type { SpiffeId } from '../../../spiffe/id.ts'
import { authorizeId, createMtlsServer, openX509Source } from '../../../workload/workload.ts'
import { startAgent, startServer } from '../../processes/cluster.ts'
import type { Story, StoryContext } from '../story.ts'

const SIGNER = 'pod-certificates.example/spiffe'
const TRUST_BUNDLE = 'pod-certificates.example:spiffe:example.org'
const POD_ID = 'spiffe://example.org/pod-certificates/client'
const MOUNT = '/tmp/steeple-pod-certificates'
const PATIENCE_MS = 90_000

export const story: Story = {
  title: 'a pod with a podCertificate volume does mutual TLS with a workload of the Workload API',
  needs: 'cluster',
  async run(context) {
    const namespace = await context.namespace('pod-certificates')
    context.afterwards(() =>
      context.kubectl(['delete', 'clustertrustbundle', TRUST_BUNDLE, '--ignore-not-found']),
    )
    // The container's runtime makes the mount point, and it is in a folder of the host's.
    context.afterwards(() => rm(MOUNT, { recursive: true, force: true }))
    for (const name of ['client', 'stranger']) {
      await context.apply({
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name, namespace },
      })
    }
    const { kubeconfig } = context.cluster
    await using server = await startServer('steeple', {
      plugins: `BundlePublisher "k8s_cluster_trust_bundle" { plugin_data {
        signer_name = "${SIGNER}"  kubeconfig_path = "${kubeconfig}" } }`,
      blocks: `pod_certificates "whole" {
        signer_name = "${SIGNER}"  kube_config_file = "${kubeconfig}"  entry_wait = "2s" }`,
    })
    await using agent = await startAgent('steeple', server)
    const register = async (id: string, parent: string, ...selectors: readonly string[]) => {
      const words = [
        '-spiffeID',
        id,
        '-parentID',
        parent,
        ...selectors.flatMap((one) => ['-selector', one]),
      ]
      const { code, stderr } = await server.cli('steeple', 'entry', 'create', ...words)
      if (code !== 0) throw new Error(`${id}: ${stderr}`)
    }
    await register('spiffe://example.org/listener', agent.id, `unix:uid:${process.getuid?.()}`)
    const nodeAlias = 'spiffe://example.org/nodes-of-whole'
    await register(nodeAlias, 'spiffe://example.org/spire/server', 'k8s_psat:cluster:whole')
    await register(POD_ID, nodeAlias, `k8s:ns:${namespace}`, 'k8s:sa:client')

    await using source = await openX509Source({ socket: `unix://${agent.socket}` })
    const seen: string[] = []
    const greet = (socket: TLSSocket, peer: SpiffeId) => {
      seen.push(peer)
      socket.end(`you are ${peer}\n`)
    }
    await using listener = createMtlsServer(source, authorizeId(POD_ID), greet)
    const { port } = await listener.listen({ host: '0.0.0.0', port: 0 })
    const address = await context.mustKubectl([
      ...['get', 'nodes', '-o'],
      'jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}',
    ])
    const keyTypes = ['ECDSAP256', 'RSA3072', 'ED25519']
    for (const keyType of keyTypes) {
      await converse(context, namespace, `${address}:${port}`, keyType)
    }
    if (seen.length < keyTypes.length || seen.some((id) => id !== POD_ID)) {
      throw new Error(`the listener saw ${seen.join(', ')}`)
    }
    await beRefused(context, namespace)
    return `keys ${keyTypes.join(', ')}`
  },
}

/** The pod speaks by OpenSSL, with the files that the kubelet put there and nothing else. */
async function converse(
  context: StoryContext,
  namespace: string,
  at: string,
  keyType: string,
): Promise<void> {
  const name = `client-${keyType.toLowerCase()}`
  const files = `-cert ${MOUNT}/chain.pem -key ${MOUNT}/key.pem -CAfile ${MOUNT}/roots.pem`
  const run = `openssl s_client -connect ${at} ${files} -verify_return_error -quiet -ign_eof </dev/null`
  await context.apply(pod({ name, namespace, account: 'client', keyType, run }))
  await context.until(
    `${name} to be greeted`,
    async () => {
      const { stdout } = await context.kubectl(['logs', '-n', namespace, name])
      return stdout.includes(`you are ${POD_ID}`)
    },
    PATIENCE_MS,
  )
  await context.mustKubectl(['delete', 'pod', '-n', namespace, name, '--grace-period=1', '--wait'])
}

/** Its volume never comes, and the events of the pod say which entry is missing. */
async function beRefused(context: StoryContext, namespace: string): Promise<void> {
  const name = 'stranger'
  await context.apply(
    pod({ name, namespace, account: name, keyType: 'ECDSAP384', run: 'echo started' }),
  )
  await context.until(
    'the stranger to be told why',
    async () => {
      const words = ['get', 'events', '-n', namespace, '-o', 'jsonpath={.items[*].message}']
      const events = await context.mustKubectl(words)
      return /NoRegistrationEntry/.test(events) && events.includes('k8s:sa:stranger')
    },
    PATIENCE_MS,
  )
  const { stdout } = await context.kubectl(['logs', '-n', namespace, name])
  if (stdout.includes('started')) throw new Error('a pod without an identity was started')
}

function pod(of: {
  readonly name: string
  readonly namespace: string
  readonly account: string
  readonly keyType: string
  readonly run: string
}): object {
  const { name, namespace, account, keyType, run } = of
  const podCertificate = {
    ...{ signerName: SIGNER, keyType },
    ...{ keyPath: 'key.pem', certificateChainPath: 'chain.pem' },
  }
  const clusterTrustBundle = { name: TRUST_BUNDLE, path: 'roots.pem' }
  return {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace } },
    spec: {
      ...{ serviceAccountName: account, restartPolicy: 'OnFailure' },
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          ...{ name: 'c', image: 'localhost/workload:1', imagePullPolicy: 'Never' },
          command: ['chroot', '/host', '/bin/sh', '-c', run],
          volumeMounts: [
            { name: 'host', mountPath: '/host' },
            { name: 'identity', mountPath: `/host${MOUNT}` },
          ],
        },
      ],
      volumes: [
        { name: 'host', hostPath: { path: '/' } },
        { name: 'identity', projected: { sources: [{ podCertificate }, { clusterTrustBundle }] } },
      ],
    },
  }
}
