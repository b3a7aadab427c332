/**
 * Our identity service for Linkerd before a real API server, asked by a Go program that does what Linkerd's proxy does:
 * the certificate it gets is verified by our root as trust anchor, and each check ends with Linkerd's own code.
 */
import { readFileSync } from 'node:fs'
import { credentials, status as grpcStatus, type ServiceError } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect } from 'vitest'
import type { CertifyRequestInput } from '../../proto/gen/io/linkerd/proxy/identity/CertifyRequest.ts'
import { linkerdApi } from '../../proto/load.ts'
import { generateKey } from '../../spiffe/key.ts'
import { createCsr } from '../../spiffe/x509/csr.ts'
import { encodeName } from '../../spiffe/x509/name.ts'
import { type Server, startServer } from '../processes/cluster.ts'
import { freePort } from '../processes/free-port.ts'
import { type Kubernetes, startKubernetes } from '../processes/kubernetes.ts'
import { API_SERVER, interop, lacking } from './interop.ts'
import { askAs, createMeshPod, keepToken, textOf, tokenOf, verifies } from './mesh/mesh-pods.ts'

const NEEDS = [...API_SERVER, 'spire-server', 'mesh-client'] as const
const AUDIENCE = 'identity.l5d.io'
const SERVICE = 'linkerd-identity.linkerd.serviceaccount.identity.linkerd.cluster.local'
const WEB = 'web.shop.serviceaccount.identity.linkerd.cluster.local'
const NO_SUBJECT = encodeName({})

let kubernetes: Kubernetes
let server: Server
let port: number
let root: string
let token: string

beforeAll(async () => {
  if (lacking(NEEDS) !== undefined) return
  kubernetes = await startKubernetes()
  const pod = await createMeshPod(kubernetes, { namespace: 'shop', account: 'web', node: 'node1' })
  token = await tokenOf(kubernetes, pod, AUDIENCE)
  port = await freePort()
  server = await startServer('steeple', { blocks: linkerd(port) })
  root = await server.bundleFile()
}, 120_000)
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await kubernetes?.[Symbol.asyncDispose]()
})

const linkerd = (bindPort: number, more = '') => `mesh { linkerd {
  bind_address = "127.0.0.1"  bind_port = "${bindPort}"
  kube_config_file = "${kubernetes.kubeconfig}"  ${more}
} }`

const proxy = (identity: string, tokenFile: string, address = `127.0.0.1:${port}`, roots = root) =>
  askAs('linkerd', { address, root: roots, 'server-name': SERVICE, token: tokenFile, identity })

interop(
  'a Linkerd proxy gets a certificate for its DNS identity below our root',
  NEEDS,
  async () => {
    const { chain = [], validUntil, attempts } = await proxy(WEB, token)
    expect(attempts).toBe(1)
    expect(Date.parse(validUntil ?? '')).toBeGreaterThan(0)
    expect(chain).toHaveLength(2)
    expect(await verifies(kubernetes.dir, chain, readFileSync(root, 'utf8'))).toBe(true)
    const text = await textOf(kubernetes.dir, chain[0] ?? '')
    expect(text).toContain(`DNS:${WEB}`)
    expect(text).not.toContain('URI:')
    expect(text).toContain(`CN = ${WEB}`)
    expect(await textOf(kubernetes.dir, chain[1] ?? '')).toContain('CA:TRUE')
  },
)

interop(
  'tokens for the API server are taken as Linkerd takes them, unless that is turned off',
  NEEDS,
  async () => {
    const plain = keepToken(kubernetes.dir, await kubernetes.token('shop', 'web'))
    expect((await proxy(WEB, plain)).chain).toHaveLength(2)
    const bindPort = await freePort()
    const more = 'accept_api_server_tokens = false  add_spiffe_id = true'
    await using strict = await startServer('steeple', { blocks: linkerd(bindPort, more) })
    const at = [`127.0.0.1:${bindPort}`, await strict.bundleFile()] as const
    expect(await proxy(WEB, plain, ...at)).toMatchObject({ code: 'FailedPrecondition' })
    const { chain = [] } = await proxy(WEB, token, ...at)
    const text = await textOf(kubernetes.dir, chain[0] ?? '')
    expect(text).toContain(`DNS:${WEB}, URI:spiffe://example.org/ns/shop/sa/web`)
    const admin = ['-spiffeID', 'spiffe://example.org/ns/shop/sa/web', '-admin']
    const parent = ['-parentID', 'spiffe://example.org/spire/agent/x509pop/node']
    const made = await strict.cli(
      ...(['steeple', 'entry', 'create', ...admin, ...parent, '-selector', 'unix:uid:0'] as const),
    )
    expect(made.code, made.stderr).toBe(0)
    const refused = async () => (await proxy(WEB, token, ...at)).message ?? ''
    await expect.poll(refused).toMatch(/sa\/web is that of an entry with admin,/)
  },
)

interop(
  'after our CA was exchanged, the next certificate has a new intermediate below it',
  NEEDS,
  async () => {
    const before = await proxy(WEB, token)
    const authority = async (...words: readonly string[]) => {
      const { code, stdout, stderr } = await server.cli(
        'steeple',
        'localauthority',
        'x509',
        ...words,
      )
      if (code !== 0) throw new Error(`${stdout}${stderr}`)
      return /Authority ID: (\S+)/.exec(stdout)?.[1] ?? ''
    }
    await authority('activate', '-authorityID', await authority('prepare'))
    root = await server.bundleFile()
    const after = await proxy(WEB, token)
    expect(after.chain?.[1]).not.toBe(before.chain?.[1])
    const roots = readFileSync(root, 'utf8')
    for (const { chain = [] } of [before, after]) {
      expect(await verifies(kubernetes.dir, chain, roots)).toBe(true)
    }
  },
)

interop(
  'each check ends with Linkerd’s own code, and the administrator is told why',
  NEEDS,
  async () => {
    const key = await generateKey('ec-p256')
    const csr = (more: Partial<Parameters<typeof createCsr>[0]> = {}) =>
      createCsr({ key, dnsNames: [WEB], subject: NO_SUBJECT, ...more })
    const good = { identity: WEB, token: readFileSync(token), certificate_signing_request: csr() }
    const api = linkerdApi()
    const client = new api(`127.0.0.1:${port}`, credentials.createSsl(readFileSync(root)), {
      'grpc.ssl_target_name_override': SERVICE,
    })
    const codeOf = (request: CertifyRequestInput) =>
      new Promise<string>((resolve) => {
        client.Certify(request, (error: ServiceError | null) =>
          resolve(`${grpcStatus[error?.code ?? 0]} ${error?.details ?? ''}`),
        )
      })
    const foreign = await createMeshPod(kubernetes, {
      namespace: 'shop',
      account: 'api',
      node: 'node1',
    })
    const others = readFileSync(await tokenOf(kubernetes, foreign, AUDIENCE))
    const broken = Buffer.from(csr())
    broken[broken.length - 1] = (broken[broken.length - 1] ?? 0) ^ 1
    const name = (identity: string) => ({
      identity,
      certificate_signing_request: csr({ dnsNames: [identity] }),
    })
    for (const [change, answer] of [
      [{}, /^OK/],
      [{ identity: '' }, /^INVALID_ARGUMENT missing identity/],
      [{ identity: 'a b' }, /^INVALID_ARGUMENT the identity is not a DNS name/],
      [{ token: Buffer.alloc(0) }, /^INVALID_ARGUMENT missing token/],
      [{ token: Buffer.alloc(20_000, 'a') }, /^INVALID_ARGUMENT the token has 20000 bytes/],
      [{ certificate_signing_request: Buffer.alloc(0) }, /^INVALID_ARGUMENT missing certificate/],
      [{ certificate_signing_request: Buffer.from('hello') }, /^INVALID_ARGUMENT malformed CSR/],
      [
        { certificate_signing_request: broken },
        /^INVALID_ARGUMENT .*(signed by its own key|malformed)/,
      ],
      [
        { certificate_signing_request: csr({ dnsNames: [] }) },
        /^FAILED_PRECONDITION .* 0 DNS names/,
      ],
      [
        { certificate_signing_request: csr({ dnsNames: [WEB, 'x.y'] }) },
        /^FAILED_PRECONDITION .* 2 DNS names/,
      ],
      [
        { certificate_signing_request: csr({ dnsNames: ['x.y'] }) },
        /^FAILED_PRECONDITION the CSR is for "x.y"/,
      ],
      [
        { certificate_signing_request: csr({ uriSans: ['spiffe://example.org/x'] }) },
        /^FAILED_PRECONDITION .* no DNS names/,
      ],
      [
        { certificate_signing_request: csr({ subject: encodeName({ commonName: 'x' }) }) },
        /^FAILED_PRECONDITION .*common name/,
      ],
      [{ certificate_signing_request: csr({ subject: encodeName({ commonName: WEB }) }) }, /^OK/],
      [
        { token: Buffer.from('made.up.token') },
        /^FAILED_PRECONDITION the token could not be authenticated/,
      ],
      [
        { token: others },
        /^FAILED_PRECONDITION requested identity "web.* is not that of the token, api\.shop/,
      ],
      [
        name('web.shop.serviceaccount.identity.linkerd.other.local'),
        /^FAILED_PRECONDITION requested identity/,
      ],
      [
        name('web.bank.serviceaccount.identity.linkerd.cluster.local'),
        /^FAILED_PRECONDITION requested identity/,
      ],
    ] as const) {
      expect(await codeOf({ ...good, ...change })).toMatch(answer)
    }
    client.close()
    const { stdout } = await server.cli('steeple', 'mesh', 'status')
    expect(stdout).toContain('Linkerd identity')
    expect(stdout).toMatch(/Refused +: 16 \(.*request 5.*\)/)
    expect(stdout).toMatch(/identity: shop\/api at .* is not that of the token/)
    expect(server.process().output()).not.toMatch(/eyJ[A-Za-z0-9_-]{8}/)
  },
)
