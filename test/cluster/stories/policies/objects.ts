/** What the story of injected proxies applies to the cluster. */

export interface Application {
  readonly image: string
  readonly namespace: string
  readonly name: string
  readonly account: string
}

const NODE = '/usr/local/bin/node'

/** Says who called, counts probes, and serves nothing before it is told that it is alive. */
const SERVER = `let probed = 0
require('node:http').createServer((request, response) => {
  if (request.url === '/ready') probed += 1
  if (request.url === '/probed') return response.end(String(probed))
  response.end(request.headers['x-forwarded-client-cert'] ?? 'nobody')
}).listen(8080, '0.0.0.0')`

function pod({ image, namespace, name, account }: Application, container: object): object {
  return {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      ...{ serviceAccountName: account, terminationGracePeriodSeconds: 1 },
      automountServiceAccountToken: false,
      containers: [{ name: 'app', image, imagePullPolicy: 'Never', ...container }],
    },
  }
}

export const servingPod = (application: Application): object =>
  pod(application, {
    ...{ command: [NODE, '-e', SERVER], ports: [{ name: 'http', containerPort: 8080 }] },
    startupProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1, failureThreshold: 60 },
    readinessProbe: { httpGet: { path: '/ready', port: 'http' }, periodSeconds: 1 },
    livenessProbe: { httpGet: { path: '/ready', port: 8080 }, periodSeconds: 1 },
  })

export const waitingPod = (application: Application): object =>
  pod(application, { command: [NODE, '-e', 'setInterval(() => {}, 1000)'] })

export const service = (namespace: string): object => ({
  ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'db', namespace } },
  spec: { selector: { app: 'db' }, ports: [{ name: 'http', port: 8080 }] },
})

/** Asked at a URL of the API server's own machine. The bundle is the server's to write. */
export function mutatingWebhook(name: string, port: number, namespaces: readonly string[]): object {
  return {
    ...{ apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingWebhookConfiguration' },
    metadata: { name },
    webhooks: [
      {
        name: 'inject.steeple.io',
        clientConfig: { url: `https://localhost:${port}/inject` },
        rules: [
          { apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'] },
        ],
        namespaceSelector: {
          matchLabels: { 'steeple.io/inject': 'enabled' },
          matchExpressions: [
            { key: 'kubernetes.io/metadata.name', operator: 'In', values: namespaces },
          ],
        },
        ...{ admissionReviewVersions: ['v1'], sideEffects: 'None', failurePolicy: 'Ignore' },
        ...{ reinvocationPolicy: 'IfNeeded', timeoutSeconds: 10 },
      },
    ],
  }
}

const POLICIES = {
  apiGroups: ['security.istio.io'],
  resources: ['authorizationpolicies', 'peerauthentications', 'requestauthentications'],
  verbs: ['list', 'watch'],
}
const PODS = { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] }

/** What proxies may read: policies of their own namespace and of the root namespace, and their own pod. */
export function rights(root: string, namespaces: readonly string[]): readonly object[] {
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1' }
  const name = 'steeple-proxy'
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name }
  const accountsOf = (namespace: string) => ({
    ...{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group' },
    name: `system:serviceaccounts:${namespace}`,
  })
  const grant = (namespace: string, rules: readonly object[], subjects: readonly object[]) => [
    { ...rbac, kind: 'Role', metadata: { name, namespace }, rules },
    { ...rbac, kind: 'RoleBinding', metadata: { name, namespace }, roleRef, subjects },
  ]
  return [
    ...grant(root, [POLICIES], namespaces.map(accountsOf)),
    ...namespaces.flatMap((one) => grant(one, [POLICIES, PODS], [accountsOf(one)])),
  ]
}
