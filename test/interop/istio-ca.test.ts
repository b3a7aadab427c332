/**
 * Our Istio CA before real API servers, asked by a Go program that does what ztunnel and istio-agent do: who gets which
 * certificate, who gets none and what the administrator is told of it, and two roots at once.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { type Server, startServer } from '../processes/cluster.ts'
import { freePort } from '../processes/free-port.ts'
import { type Kubernetes, startKubernetes } from '../processes/kubernetes.ts'
import { until } from '../processes/process.ts'
import { API_SERVER, interop, lacking } from './interop.ts'
import {
  askAs,
  countOf,
  createMeshPod,
  deleteMeshPod,
  keepToken,
  type MeshPod,
  textOf,
  tokenOf,
  verifies,
} from './mesh/mesh-pods.ts'

const NEEDS = [...API_SERVER, 'spire-server', 'mesh-client'] as const
const DNS_NAME = 'istiod.istio-system.svc'
const AUDIENCE = 'istio-ca'
const CART = 'spiffe://example.org/ns/shop/sa/cart'
const AUTHENTICATION = 'request authenticate failure'
const IMPERSONATION = 'request impersonation authentication failure'

let kubernetes: Kubernetes
let other: Kubernetes
let server: Server
let port: number
let metricsPort: number
let root: string
let ztunnel: { readonly pod: MeshPod; readonly token: string }
let cart: { readonly pod: MeshPod; readonly token: string }

const proxyOf = async (fields: Parameters<typeof createMeshPod>[1], audience = AUDIENCE) => {
  const pod = await createMeshPod(kubernetes, fields)
  return { pod, token: await tokenOf(kubernetes, pod, audience) }
}
const ztunnelOn = (node: string) => proxyOf({ namespace: 'istio-system', account: 'ztunnel', node })

const istioCa = (bindPort: number, more = '') => `mesh { istio_ca {
  bind_address = "127.0.0.1"  bind_port = "${bindPort}"  local_cluster = "Kubernetes"
  clusters = {
    "Kubernetes" = { kube_config_file = "${kubernetes.kubeconfig}" }
    "other" = { kube_config_file = "${other.kubeconfig}" }
  }
  ${more}
} }`

beforeAll(async () => {
  if (lacking(NEEDS) !== undefined) return
  kubernetes = await startKubernetes()
  other = await startKubernetes()
  ztunnel = await ztunnelOn('node1')
  cart = await proxyOf({ namespace: 'shop', account: 'cart', node: 'node1' })
  port = await freePort()
  metricsPort = await freePort()
  server = await startServer('steeple', {
    settings: 'audit_log_enabled = true',
    blocks: `${istioCa(port)}
      telemetry { Prometheus { host = "127.0.0.1"  port = ${metricsPort} } }`,
  })
  root = await server.bundleFile()
  await until('the pods to be known', async () =>
    (await status()).istio_ca.clusters.every((one: { ready: boolean }) => one.ready),
  )
}, 180_000)
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await kubernetes?.[Symbol.asyncDispose]()
  await other?.[Symbol.asyncDispose]()
})

const status = async (at: Server = server) => {
  const { code, stdout, stderr } = await at.cli('steeple', 'mesh', 'status', '-output', 'json')
  if (code !== 0) throw new Error(`${stdout}${stderr}`)
  return JSON.parse(stdout)
}
const lastRefusal = async (at: Server = server) =>
  (await status(at)).istio_ca.tally.last_refusals[0]

const base = (token: string, identity: string) => ({
  ...{ address: `127.0.0.1:${port}`, root, 'server-name': DNS_NAME, token, identity },
})
const asZtunnel = (
  token: string,
  identity: string,
  more: {
    readonly cluster?: string
    readonly retries?: number
    readonly address?: string
    readonly root?: string
  } = {},
) =>
  askAs('ztunnel', {
    ...base(token, identity),
    impersonate: identity,
    cluster: 'Kubernetes',
    ...more,
  })

interop(
  'a ztunnel gets the identity of a pod on its node, in the shape that it reads',
  NEEDS,
  async () => {
    const { chain = [], ...rest } = await asZtunnel(ztunnel.token, CART)
    expect(rest).toEqual({ attempts: 1 })
    expect(chain).toHaveLength(2)
    const [leaf = '', roots = ''] = chain
    for (const element of chain) expect(element.endsWith('\n')).toBe(true)
    const text = await textOf(kubernetes.dir, leaf)
    expect(text).toMatch(new RegExp(`URI:${CART}\n`))
    expect(text).not.toContain('DNS:')
    expect(text).toContain('CA:FALSE')
    expect(text).toContain('Digital Signature')
    expect(text).toContain('TLS Web Server Authentication, TLS Web Client Authentication')
    expect(await verifies(kubernetes.dir, [leaf], roots)).toBe(true)
    // Without the header it is the local cluster's; a ztunnel's own identity needs no pod of anybody.
    const own = 'spiffe://example.org/ns/istio-system/sa/ztunnel'
    expect((await askAs('ztunnel', base(ztunnel.token, own))).chain).toHaveLength(2)
  },
)

interop('a sidecar gets its own identity for every kind of key that it makes', NEEDS, async () => {
  for (const [keyType, usage] of [
    ['rsa-2048', 'Digital Signature, Key Encipherment'],
    ['ec-p256', 'Digital Signature, Key Agreement'],
    ['ec-p384', 'Digital Signature, Key Agreement'],
  ] as const) {
    const { chain = [], attempts } = await askAs('istio-agent', {
      ...{ ...base(cart.token, CART), cluster: 'Kubernetes', 'key-type': keyType },
    })
    expect(attempts).toBe(1)
    expect(await textOf(kubernetes.dir, chain[0] ?? '')).toContain(usage)
    expect(await verifies(kubernetes.dir, chain.slice(0, -1), chain.at(-1) ?? '')).toBe(true)
  }
})

interop(
  'only who is on the node, by a trusted account of a known pod, is impersonated',
  NEEDS,
  async () => {
    const refusal = async (token: string, identity: string, check: string, reason: RegExp) => {
      expect(await asZtunnel(token, identity)).toEqual({
        ...{ attempts: 1, code: 'Unauthenticated', message: IMPERSONATION },
      })
      expect(await lastRefusal()).toMatchObject({ check, reason: expect.stringMatching(reason) })
    }
    const id = (account: string) => `spiffe://example.org/ns/shop/sa/${account}`
    // Not on any node, and off the node alone.
    await refusal(ztunnel.token, id('nobody'), 'node', /no pod of shop\/nobody is on node node1/)
    await createMeshPod(kubernetes, { namespace: 'shop', account: 'far', node: 'node2' })
    await refusal(ztunnel.token, id('far'), 'node', /no pod of shop\/far is on node node1/)
    // On the node and off it.
    await createMeshPod(kubernetes, { namespace: 'shop', account: 'both', node: 'node2' })
    await createMeshPod(kubernetes, { namespace: 'shop', account: 'both', node: 'node1' })
    expect((await asZtunnel(ztunnel.token, id('both'))).chain).toHaveLength(2)
    // The same name in another namespace is somebody else.
    await refusal(
      ztunnel.token,
      'spiffe://example.org/ns/bank/sa/cart',
      'node',
      /no pod of bank\/cart/,
    )
    // Not of a trusted account, though on the node.
    await refusal(
      cart.token,
      id('both'),
      'node-account',
      /shop\/cart is not trusted .* istio-system\/ztunnel/,
    )
    // A pod that has failed is not there, neither as the caller's nor as the one asked for.
    const failed = await proxyOf({ namespace: 'shop', account: 'failed', node: 'node1' })
    await fail(failed.pod)
    await refusal(ztunnel.token, id('failed'), 'node', /no pod of shop\/failed/)
    const gone = await ztunnelOn('node1')
    expect((await asZtunnel(gone.token, CART)).chain).toHaveLength(2)
    await fail(gone.pod)
    await refusal(
      gone.token,
      CART,
      'node',
      /the pod istio-system\/ztunnel-.* of the caller is not known/,
    )
    // A token that is bound to no pod runs on no node.
    const free = await kubernetes.token('istio-system', 'ztunnel', [`--audience=${AUDIENCE}`])
    await refusal(keepToken(kubernetes.dir, free), CART, 'node', /is bound to no pod/)
  },
)

const fail = async ({ namespace, name }: MeshPod) => {
  const patch = JSON.stringify({ status: { phase: 'Failed' } })
  await kubernetes.mustKubectl([
    'patch',
    'pod',
    '-n',
    namespace,
    name,
    '--subresource=status',
    '-p',
    patch,
  ])
}

interop('a token of a pod that was replaced under its name gets nothing', NEEDS, async () => {
  const name = 'ztunnel-replaced'
  const fields = { namespace: 'istio-system', account: 'ztunnel', node: 'node1', name }
  const before = await proxyOf(fields)
  expect((await asZtunnel(before.token, CART)).chain).toHaveLength(2)
  await deleteMeshPod(kubernetes, before.pod)
  const after = await proxyOf(fields)
  expect(await asZtunnel(before.token, CART)).toMatchObject({ code: 'Unauthenticated' })
  // The API server remembers a review for ten seconds; after that it says so itself.
  expect((await lastRefusal()).reason).toMatch(
    /has UID .* but the token is of the one with UID|invalid bearer token|not found/,
  )
  expect((await asZtunnel(after.token, CART)).chain).toHaveLength(2)
})

interop(
  'identities that are not of the mesh’s form or trust domain are refused by name',
  NEEDS,
  async () => {
    for (const [identity, why] of [
      ['spiffe://other.org/ns/shop/sa/cart', /is of trust domain other.org, expected example.org/],
      ['spiffe://example.org/ns/shop', /is not of the form/],
      ['spiffe://example.org/ns/shop/sa/cart/x', /is not of the form/],
      ['spiffe://example.org/sa/cart/ns/shop', /is not of the form/],
      ['spiffe://example.org/spire/server', /is not of the form/],
      ['spiffe://example.org/ns/shop/sa/..', /dot segments/],
      ['cart.shop', /spiffe/],
    ] as const) {
      expect(await asZtunnel(ztunnel.token, identity)).toMatchObject({ message: IMPERSONATION })
      expect(await lastRefusal()).toMatchObject({
        check: 'identity',
        reason: expect.stringMatching(why),
      })
    }
  },
)

interop('a pod that is made while its node’s ztunnel asks is waited for', NEEDS, async () => {
  const asking = asZtunnel(ztunnel.token, 'spiffe://example.org/ns/shop/sa/newborn', { retries: 5 })
  await createMeshPod(kubernetes, { namespace: 'shop', account: 'newborn', node: 'node1' })
  expect((await asking).chain).toHaveLength(2)
})

interop(
  'each cluster vouches for its own: another’s token, or an unknown cluster, is nobody',
  NEEDS,
  async () => {
    const pod = await createMeshPod(other, {
      namespace: 'istio-system',
      account: 'ztunnel',
      node: 'node9',
    })
    const token = await tokenOf(other, pod, AUDIENCE)
    await createMeshPod(other, { namespace: 'shop', account: 'remote', node: 'node9' })
    const remote = 'spiffe://example.org/ns/shop/sa/remote'
    expect((await asZtunnel(token, remote, { cluster: 'other' })).chain).toHaveLength(2)
    const refusal = async (
      cluster: string,
      check: string,
      whose: string,
      identity: string,
      message: string,
    ) => {
      expect(await asZtunnel(whose, identity, { cluster })).toMatchObject({
        code: 'Unauthenticated',
        message,
      })
      expect(await lastRefusal()).toMatchObject({ check })
    }
    await refusal('Kubernetes', 'token', token, remote, AUTHENTICATION)
    await refusal('other', 'token', ztunnel.token, CART, AUTHENTICATION)
    await refusal('removed', 'cluster', ztunnel.token, CART, AUTHENTICATION)
    await refusal('Kubernetes', 'node', ztunnel.token, remote, IMPERSONATION)
    await refusal('other', 'node', token, CART, IMPERSONATION)
  },
)

interop(
  'tokens for others, made-up ones and people’s are refused, and never retried',
  NEEDS,
  async () => {
    const wrong = await tokenOf(kubernetes, cart.pod, 'somebody-else')
    const plain = keepToken(kubernetes.dir, await kubernetes.token('shop', 'cart'))
    const madeUp = keepToken(kubernetes.dir, 'eyJhbGciOiJub25lIn0.e30.')
    for (const token of [wrong, plain, madeUp]) {
      const asked = await askAs('istio-agent', base(token, CART))
      expect(asked).toEqual({ attempts: 1, code: 'Unauthenticated', message: AUTHENTICATION })
      expect(await lastRefusal()).toMatchObject({ check: 'token' })
    }
  },
)

interop(
  'roots that are prepared and old ones are in the last element, and leaves verify both ways',
  NEEDS,
  async () => {
    const leafNow = async () => {
      const { chain = [] } = await askAs('istio-agent', base(cart.token, CART))
      return { leaf: chain.slice(0, -1), roots: chain.at(-1) ?? '' }
    }
    const authority = async (step: string, ...words: readonly string[]) => {
      const { code, stdout, stderr } = await server.cli(
        'steeple',
        'localauthority',
        'x509',
        step,
        ...words,
      )
      if (code !== 0) throw new Error(`${stdout}${stderr}`)
      return /Authority ID: (\S+)/.exec(stdout)?.[1] ?? ''
    }
    const first = await leafNow()
    expect(countOf(first.roots, /BEGIN CERTIFICATE/g)).toBe(1)
    const prepared = await authority('prepare')
    const second = await leafNow()
    expect(countOf(second.roots, /BEGIN CERTIFICATE/g)).toBe(2)
    await authority('activate', '-authorityID', prepared)
    await until('the port to show a certificate of the new authority', async () => {
      root = await server.bundleFile()
      return (await leafNow()).leaf.length === 1
    })
    const third = await leafNow()
    expect(countOf(third.roots, /BEGIN CERTIFICATE/g)).toBe(2)
    expect(await verifies(kubernetes.dir, third.leaf, first.roots)).toBe(false)
    // Whoever heard of the new root before it signed takes what it signs, and the other way round.
    expect(await verifies(kubernetes.dir, third.leaf, second.roots)).toBe(true)
    expect(await verifies(kubernetes.dir, first.leaf, third.roots)).toBe(true)
  },
)

interop(
  'what happened is in the metrics under citadel’s names, the log and the audit log, without a token',
  NEEDS,
  async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
    for (const name of [
      'csr_count',
      'success_cert_issuance_count',
      'authentication_failure_count',
      'root_cert_expiry_timestamp',
      'cert_chain_expiry_timestamp',
    ]) {
      expect(metrics).toMatch(new RegExp(`^citadel_server_${name}\\b.* [1-9]`, 'm'))
    }
    const printed = server.process().output()
    expect(printed).toContain('Certificate issued')
    expect(printed).toContain('Certificate refused')
    expect(printed).toMatch(/type=audit|"type":"audit"/)
    expect(printed).not.toMatch(/eyJ[A-Za-z0-9_-]{8}/)
    const { stdout } = await server.cli('steeple', 'mesh', 'status')
    expect(stdout).toMatch(/Trusted node accounts +: istio-system\/ztunnel/)
    expect(stdout).toMatch(
      /node-account: shop\/cart at 127\.0\.0\.1:\d+ for .*both.*is not trusted/,
    )
  },
)

interop(
  'with registration by entries, only what an entry allows is signed, and no longer than it says',
  NEEDS,
  async () => {
    const bindPort = await freePort()
    await using strict = await startServer('steeple', {
      blocks: istioCa(
        bindPort,
        'registration = "entries"  trusted_node_accounts = []  max_ttl = "2h"',
      ),
    })
    const at = { address: `127.0.0.1:${bindPort}`, root: join(strict.dir, 'bundle.pem') }
    await strict.bundleFile()
    const ask = () => askAs('istio-agent', { ...base(cart.token, CART), ...at })
    expect(await ask()).toMatchObject({
      code: 'PermissionDenied',
      message: expect.stringMatching(/no registration entry of SPIFFE ID .*cart/),
    })
    const create = async (...words: readonly string[]) => {
      const made = await strict.cli(
        'steeple',
        'entry',
        'create',
        '-parentID',
        'spiffe://example.org/mesh',
        '-spiffeID',
        CART,
        ...words,
      )
      if (made.code !== 0) throw new Error(made.stderr)
    }
    await create('-selector', 'k8s:ns:shop', '-selector', 'k8s:pod-label:app:none')
    expect(await ask()).toMatchObject({ code: 'PermissionDenied' })
    await create('-selector', 'k8s:ns:shop', '-selector', 'k8s:sa:cart', '-x509SVIDTTL', '600')
    const { chain = [] } = await ask()
    const text = await textOf(kubernetes.dir, chain[0] ?? '')
    const [from = '', to = ''] = [...text.matchAll(/Not (?:Before|After ): (.*)/g)].map(
      ([, time]) => time ?? '',
    )
    expect((Date.parse(to) - Date.parse(from)) / 1000).toBe(610)
    // Nobody is trusted to ask for others here.
    expect(await asZtunnel(ztunnel.token, CART, at)).toMatchObject({ message: IMPERSONATION })
    expect(await lastRefusal(strict)).toMatchObject({
      check: 'node-account',
      reason: expect.stringMatching(/has nobody/),
    })
  },
)
