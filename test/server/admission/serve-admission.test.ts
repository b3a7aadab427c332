/** The webhook server over real TLS: reviews in and out, what is refused, and certificates that change meanwhile. */
import { request } from 'node:https'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resourceRoutes } from '../../../server/admission/resource-routes.ts'
import { formatReview, readReview } from '../../../server/admission/review.ts'
import {
  type AdmissionRequest,
  type AdmissionRoute,
  ALLOWED,
} from '../../../server/admission/routes.ts'
import { type AdmissionServer, serveAdmission } from '../../../server/admission/serve-admission.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { toPem, toPemChain } from '../../../spiffe/x509/pem.ts'
import { type TestCa, testCa } from '../../fakes/ca.ts'

const failures: unknown[] = []
const seen: AdmissionRequest[] = []
const listeners = new Set<() => void>()
let ca: TestCa
let shown: { readonly cert: string; readonly key: string }
let server: AdmissionServer

const pair = async () => {
  const valid = { notBefore: new Date(0), notAfter: new Date(2 ** 41) }
  const leaf = await ca.leaf('/webhook', { ...valid, dnsNames: ['hook.spire.svc'] })
  return {
    cert: toPemChain(leaf.chain),
    key: String(leaf.key.export({ type: 'pkcs8', format: 'pem' })),
  }
}

const routes = new Map<string, AdmissionRoute>([
  [
    '/allow',
    async (review) => {
      seen.push(review)
      return ALLOWED
    },
  ],
  [
    '/patch',
    async () => ({
      kind: 'allow',
      patch: [{ op: 'add', path: '/a', value: 1 }],
      warnings: ['w'.repeat(900)],
    }),
  ],
  ['/deny', async () => ({ kind: 'deny', message: 'no' })],
  ['/refuse', () => Promise.reject(new IdentityError('REQUEST_INVALID', 'not like this'))],
  ['/bug', () => Promise.reject(new Error('the inner reason'))],
])

beforeAll(async () => {
  ca = await testCa({ notBefore: new Date(0), notAfter: new Date(2 ** 41) })
  shown = await pair()
  server = await serveAdmission({
    ...{ host: '127.0.0.1', port: 0, routes },
    certificate: {
      current: () => shown,
      onChange(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
    onFailure: (error) => void failures.push(error),
  })
})
afterAll(async () => await server?.[Symbol.asyncDispose]())

interface Answer {
  readonly status: number
  readonly text: string
  readonly serial: string
}

function send(path: string, body: string | Buffer, method = 'POST'): Promise<Answer> {
  const root = ca.bundle.x509Authorities.map(({ der }) => toPem('CERTIFICATE', der)).join('')
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const options = { host: '127.0.0.1', port: server.port, path, method, agent: false }
  const asking = request({ ...options, ca: root, servername: 'hook.spire.svc' }, (response) => {
    // Cast: the connection of an https request.
    const serial = (response.socket as import('node:tls').TLSSocket).getPeerCertificate()
      .serialNumber
    let text = ''
    response.on('data', (chunk) => {
      text += chunk
    })
    response.on('end', () => resolve({ status: response.statusCode ?? 0, text, serial }))
    response.on('error', reject)
  })
  asking.on('error', reject)
  asking.end(body)
  return promise
}

const review = (more: object = {}) =>
  JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      ...{ uid: 'u1', operation: 'CREATE', namespace: 'shop', name: 'cart', dryRun: true },
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      userInfo: { username: 'me' },
      object: { spec: {} },
      ...more,
    },
  })

const responseTo = async (path: string) => JSON.parse((await send(path, review())).text).response

describe('a review', () => {
  test('is given to the route of its path, and answered by its UID', async () => {
    expect(await responseTo('/allow?timeout=10s')).toEqual({ uid: 'u1', allowed: true })
    expect(seen.at(-1)).toMatchObject({
      ...{ uid: 'u1', operation: 'CREATE', namespace: 'shop', name: 'cart', isDryRun: true },
      ...{ kind: { group: '', version: 'v1', kind: 'Pod' }, resource: 'pods', username: 'me' },
      object: { spec: {} },
    })
  })
  test('may change the object, with bounded warnings', async () => {
    const answer = await responseTo('/patch')
    expect(answer).toMatchObject({ allowed: true, patchType: 'JSONPatch' })
    expect(JSON.parse(Buffer.from(answer.patch, 'base64').toString())).toEqual([
      { op: 'add', path: '/a', value: 1 },
    ])
    expect(answer.warnings[0]).toHaveLength(256)
  })
  test.for([
    ['/deny', 'no'],
    ['/refuse', 'not like this'],
    ['/bug', 'the webhook failed; its log says why'],
  ] as const)('is refused by %s', async ([path, message]) => {
    expect(await responseTo(path)).toMatchObject({ allowed: false, status: { code: 403, message } })
  })
  test('that failed is told to the log and to nobody else', () => {
    expect(failures.map(String)).toEqual(['Error: the inner reason'])
  })
})

describe('is no review', () => {
  test.for([
    ['nothing', '', 400],
    ['what is no JSON', '{', 400],
    ['a list', '[]', 400],
    ['another kind', review().replace('AdmissionReview', 'Pod'), 400],
    ['an older version', review().replace('io/v1"', 'io/v1beta1"'), 400],
    ['one without a UID', review({ uid: '' }), 400],
    ['one without a request', '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}', 400],
  ] as const)('%s', async ([, body, status]) => {
    expect((await send('/allow', body)).status).toBe(status)
  })
  test('one that is too large', async () => {
    const sending = send('/allow', Buffer.alloc(9 * 1024 * 1024, 0x20))
    const ended = await sending.then(
      ({ status }) => status,
      () => 'cut off',
    )
    expect([413, 'cut off']).toContain(ended)
  })
  test('one of another path or method', async () => {
    expect((await send('/other', review())).status).toBe(404)
    expect((await send('/allow', '', 'GET')).status).toBe(405)
  })
  test('whatever bytes come', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(readReview(text)).toBeUndefined()
      }),
    )
    fc.assert(
      fc.property(
        fc.record({
          uid: fc.string({ minLength: 1 }),
          operation: fc.anything(),
          kind: fc.anything(),
        }),
        (more) => {
          expect(readReview(review(more))?.uid).toBe(more.uid)
          expect(JSON.parse(formatReview(more.uid, ALLOWED)).response.uid).toBe(more.uid)
        },
      ),
    )
  })
})

test('a certificate that changes is shown to the next connection', async () => {
  const before = await send('/allow', review())
  shown = await pair()
  for (const listener of listeners) listener()
  const after = await send('/allow', review())
  expect(after.status).toBe(200)
  expect(after.serial).not.toBe(before.serial)
})

test('a port in use is said by name', async () => {
  const certificate = { current: () => shown, onChange: () => () => {} }
  const again = serveAdmission({
    ...{ host: '127.0.0.1', port: server.port, routes, certificate, onFailure: () => {} },
  })
  await expect(again).rejects.toThrow('choose another controller_manager.webhook.port')
})

describe('our resources', () => {
  const ours = resourceRoutes(parseTrustDomain('example.org'))
  const judge = (path: string, operation: string, spec: object) => {
    const asked = readReview(review({ operation, object: { spec } }))
    const route = ours.get(`/validate-spire-spiffe-io-v1alpha1-${path}`)
    if (asked === undefined || route === undefined) throw new Error('there is no such route')
    return route(asked, new AbortController().signal)
  }
  test('are refused when they cannot be read', async () => {
    await expect(judge('clusterspiffeid', 'CREATE', {})).rejects.toThrow('empty SPIFFEID template')
    await expect(judge('clusterstaticentry', 'UPDATE', {})).rejects.toThrow('SPIFFE ID')
    await expect(judge('clusterfederatedtrustdomain', 'CREATE', {})).rejects.toThrow('trustDomain')
  })
  test('may always be deleted', async () => {
    expect(await judge('clusterspiffeid', 'DELETE', {})).toBe(ALLOWED)
  })
  test('whatever their specs hold: they are read or refused', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('clusterspiffeid', 'clusterstaticentry', 'clusterfederatedtrustdomain'),
        fc.dictionary(
          fc.constantFrom(
            'spiffeIDTemplate',
            'ttl',
            'podSelector',
            'selectors',
            'spiffeID',
            'hint',
            'admin',
            'trustDomain',
            'bundleEndpointProfile',
            'dnsNameTemplates',
          ),
          fc.anything(),
        ),
        async (path, spec) => {
          const verdict = await judge(path, 'CREATE', spec).catch((error: unknown) => error)
          expect(verdict === ALLOWED || verdict instanceof IdentityError, String(verdict)).toBe(
            true,
          )
        },
      ),
    )
  })
})
