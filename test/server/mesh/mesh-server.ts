/** The whole server with its mesh ports, before an API server that knows a few tokens and pods by heart. */
import { credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import type { Bundle } from '../../../proto/gen/spire/api/types/Bundle.ts'
import type { GetStatusResponse } from '../../../proto/gen/steeple/server/mesh/v1/GetStatusResponse.ts'
import { istioCaApi } from '../../../proto/load.ts'
import type { IstioCaConfig } from '../../../server/mesh/istio-ca/open-istio-ca.ts'
import { toPem } from '../../../spiffe/x509/pem.ts'
import { type ApiServer, event, list, startApiServer } from '../../kubernetes/api-server.ts'
import { call, startTestServer, type TestServer } from '../running-server.ts'

export interface MeshServer extends AsyncDisposable {
  readonly api: ApiServer
  readonly server: TestServer
  status(): Promise<GetStatusResponse>
  /** Asks the Istio CA. @returns the chain, or how it was refused */
  ask(
    request: object,
    headers: readonly (readonly [string, string])[],
  ): Promise<{ readonly chain: readonly string[]; readonly refusal: string }>
}

const user = (username: string, more: object = {}) => ({
  ...{ username, uid: 'u', groups: ['system:serviceaccounts', 'system:authenticated'] },
  ...more,
})
const bound = (name: string, uid: string) => ({
  extra: {
    'authentication.kubernetes.io/pod-name': [name],
    'authentication.kubernetes.io/pod-uid': [uid],
  },
})
const good = (account: string, more: object = {}) => ({
  ...{ authenticated: true, audiences: ['istio-ca'] },
  user: user(`system:serviceaccount:${account}`, more),
})

/** Token → the status of its review. */
const REVIEWS: Readonly<Record<string, object>> = {
  'cart-token': good('shop:cart', bound('cart-1', 'uid-cart-1')),
  'ztunnel-token': good('istio-system:ztunnel', bound('ztunnel-1', 'uid-ztunnel-1')),
  'replaced-token': good('istio-system:ztunnel', bound('ztunnel-1', 'uid-of-before')),
  'two-pods-token': good('istio-system:ztunnel', {
    extra: {
      'authentication.kubernetes.io/pod-name': ['ztunnel-1', 'ztunnel-2'],
      'authentication.kubernetes.io/pod-uid': ['uid-ztunnel-1'],
    },
  }),
  'person-token': { ...good(''), user: user('jane') },
  'node-token': { ...good(''), user: user('system:node:node1') },
  'five-part-token': good('shop:cart:x'),
  'outsider-token': {
    ...good(''),
    user: { ...user('system:serviceaccount:shop:cart'), groups: [] },
  },
  'odd-token': good('shop:CART'),
  'expired-token': { authenticated: false, error: '[invalid bearer token, token has expired]' },
  'audience-token': { ...good('shop:cart'), audiences: ['https://kubernetes'] },
}

export const pod = (
  namespace: string,
  name: string,
  serviceAccountName: string,
  nodeName: string,
) => ({
  metadata: { namespace, name, uid: `uid-${name}`, resourceVersion: '1' },
  spec: { serviceAccountName, nodeName },
  status: { phase: 'Running' },
})
const PODS = [
  pod('shop', 'cart-1', 'cart', 'node1'),
  pod('shop', 'far-1', 'far', 'node2'),
  pod('istio-system', 'ztunnel-1', 'ztunnel', 'node1'),
]

export async function startMeshServer(config: Partial<IstioCaConfig> = {}): Promise<MeshServer> {
  const api = await startApiServer()
  api.answerWith((asked, response) => {
    if (asked.path.endsWith('/tokenreviews')) {
      const { token } = JSON.parse(asked.body).spec
      if (token === 'held-token') return // never answered
      if (token === 'forbidden-token') response.statusCode = 403
      response.end(JSON.stringify({ status: REVIEWS[token] ?? { authenticated: false } }))
    } else if (asked.query.get('watch') === null) response.end(list('1', PODS))
    else response.write(event('BOOKMARK', { metadata: { resourceVersion: '2' } }))
  })
  const istioCa: IstioCaConfig = {
    ...{ bindAddress: '127.0.0.1', bindPort: 0, dnsNames: ['localhost'] },
    clusters: [{ name: 'Kubernetes', kubeconfig: api.kubeconfig }],
    ...{ localCluster: 'Kubernetes', tokenAudiences: ['istio-ca'], registration: 'off' },
    trustedNodeAccounts: ['istio-system/ztunnel'],
    ...{ defaultTtlSeconds: 3_600, maxTtlSeconds: 7_200 },
    ...config,
  }
  const server = await startTestServer({
    config: { mesh: { istioCa, linkerd: undefined }, hasAuditLog: true },
  })
  const mesh = () => call<GetStatusResponse>((done) => server.admin.mesh.GetStatus({}, done))
  const bundle = await call<Bundle>((done) => server.admin.bundle.GetBundle({}, done))
  const roots = bundle.x509_authorities.map(({ asn1 }) => toPem('CERTIFICATE', asn1)).join('')
  const options = { 'grpc.ssl_target_name_override': 'localhost' }
  const address = (await mesh()).istio_ca?.address ?? ''
  const client = new (istioCaApi())(address, credentials.createSsl(Buffer.from(roots)), options)
  return {
    ...{ api, server, status: mesh },
    ask: (request, headers) =>
      new Promise((resolve) => {
        const metadata = new Metadata()
        for (const [name, value] of headers) metadata.add(name, value)
        const done = (error: ServiceError | null, reply?: { cert_chain: string[] }) =>
          resolve({
            chain: reply?.cert_chain ?? [],
            refusal: error === null ? '' : `${status[error.code]} ${error.details}`,
          })
        client.CreateCertificate(request, metadata, done)
      }),
    async [Symbol.asyncDispose]() {
      client.close()
      await server[Symbol.asyncDispose]()
      await api[Symbol.asyncDispose]()
    },
  }
}
