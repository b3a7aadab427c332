/**
 * A real ztunnel as a node has it: one process, in a network namespace of its own, that serves the namespaces of several pods
 * with the identity of each. What istiod would tell it of workloads and policies is in a file.
 */
import { randomUUID } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runIn, startIn } from '../../processes/netns.ts'
import { type Running, start } from '../../processes/process.ts'
import { peer } from '../interop.ts'

/** As ztunnel reads it from its file. */
export interface Workload {
  readonly namespace: string
  readonly name: string
  readonly account: string
  readonly ip: string
  readonly node: string
  /** File of its network namespace, where this ztunnel is to serve it. */
  readonly netnsPath?: string
}

export interface ZtunnelOptions {
  /** Undefined: of the workloads that have a namespace; else of this one alone, in whose namespace it runs. */
  readonly onlyOf?: Workload
  /** Namespace that ztunnel itself runs in. */
  readonly netns: string
  readonly node: string
  readonly workloads: readonly Workload[]
  /** In the form of its file. */
  readonly policies: readonly object[]
  /** Port of the CA on this machine's loopback. */
  readonly caPort: number
  /** PEM file. */
  readonly caRoot: string
  readonly caName: string
  readonly tokenPath: string
  /** That it asks for. */
  readonly ttlSeconds: number
}

export interface Certificate {
  readonly identity: string
  readonly state: string
  /** Serial number of the leaf, and when it ends. */
  readonly serial: string | undefined
  readonly expires: string | undefined
  readonly roots: number
}

export interface Ztunnel extends AsyncDisposable {
  process(): Running
  /** What it holds for each workload. */
  certificates(): Promise<readonly Certificate[]>
  /** @throws when it holds none for this SPIFFE ID, and wants none */
  certificateOf(identity: string): Promise<Certificate>
  metrics(): Promise<string>
}

const TRUST_DOMAIN = 'example.org'
const CLUSTER = 'Kubernetes'
const CA_PORT = 15_012
const ADMIN = 'http://127.0.0.1:15000'

export async function startZtunnel(options: ZtunnelOptions): Promise<Ztunnel> {
  const stack = new AsyncDisposableStack()
  const dir = mkdtempSync(join(tmpdir(), 'ztunnel-'))
  chmodSync(dir, 0o700)
  stack.defer(() => rmSync(dir, { recursive: true, force: true }))
  try {
    await openWay(stack, join(dir, 'ca.sock'), options)
    const running =
      options.onlyOf === undefined
        ? await startShared(stack, dir, options)
        : await startDedicated(stack, dir, options, options.onlyOf)
    const admin = async (url: string) => {
      const { code, stdout } = await runIn(options.netns, ['curl', '-sS', '--max-time', '10', url])
      if (code !== 0) throw new Error(`${url}: curl ended with ${code}`)
      return stdout
    }
    const certificates = async () => readCertificates(await admin(`${ADMIN}/config_dump`))
    return {
      process: () => running,
      certificates,
      async certificateOf(identity) {
        const found = (await certificates()).find((one) => one.identity === identity)
        if (found === undefined) throw new Error(`ztunnel holds nothing for ${identity}`)
        return found
      },
      metrics: () => admin('http://127.0.0.1:15020/metrics'),
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

async function startShared(
  stack: AsyncDisposableStack,
  dir: string,
  options: ZtunnelOptions,
): Promise<Running> {
  const zds = join(dir, 'zds.sock')
  const pods = options.workloads.flatMap(podWord)
  const agent = stack.use(start(peer('python3'), [agentScript, zds, ...pods]))
  await agent.line(/^listening$/)
  const mode = { PROXY_MODE: 'shared', NODE_NAME: options.node, INPOD_UDS: zds }
  const running = stack.use(startIn(options.netns, ztunnelWords(dir, mode, options)))
  await Promise.race([
    agent.line(/^snapshot/),
    running.ended.then((code) => {
      throw new Error(`ztunnel ended with ${code}:\n${running.output().slice(-4000)}`)
    }),
  ])
  return running
}

async function startDedicated(
  stack: AsyncDisposableStack,
  dir: string,
  options: ZtunnelOptions,
  { namespace, name, account }: Workload,
): Promise<Running> {
  const mode = {
    PROXY_MODE: 'dedicated',
    PROXY_WORKLOAD_INFO: `${namespace}/${name}/${account}`,
  }
  const running = stack.use(startIn(options.netns, ztunnelWords(dir, mode, options)))
  await running.line(/marking server ready/)
  return running
}

const agentScript = join(import.meta.dirname, 'zds.py')

const podWord = ({ netnsPath, namespace, name, account }: Workload): readonly string[] =>
  netnsPath === undefined ? [] : [`${randomUUID()}=${netnsPath}=${namespace}/${name}/${account}`]

/** Brings the CA into the namespace of ztunnel: a Unix socket leads out of it. */
async function openWay(
  stack: AsyncDisposableStack,
  path: string,
  { netns, caPort }: ZtunnelOptions,
): Promise<void> {
  const server = createServer((inside) => {
    const outside = connect(caPort, '127.0.0.1')
    for (const one of [inside, outside]) {
      one.on('error', () => {
        inside.destroy()
        outside.destroy()
      })
    }
    inside.pipe(outside).pipe(inside)
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(path, resolve)
  await promise
  stack.defer(() => void server.close())
  const relay = `require('node:net').createServer((one) => {
    const other = require('node:net').connect(${JSON.stringify(path)})
    for (const end of [one, other]) end.on('error', () => { one.destroy(); other.destroy() })
    one.pipe(other).pipe(one)
  }).listen(${CA_PORT}, '127.0.0.1', () => console.log('ready'))`
  await stack.use(startIn(netns, [process.execPath, '-e', relay])).line(/ready/)
}

function ztunnelWords(
  dir: string,
  mode: Readonly<Record<string, string>>,
  options: ZtunnelOptions,
): readonly string[] {
  const xds = join(dir, 'xds.json')
  const { workloads, policies, caRoot, caName, tokenPath, ttlSeconds } = options
  writeFileSync(xds, JSON.stringify({ workloads: workloads.map(localWorkload), policies }))
  const settings = {
    ...mode,
    CLUSTER_ID: CLUSTER,
    XDS_ADDRESS: '',
    LOCAL_XDS_PATH: xds,
    CA_ADDRESS: `https://127.0.0.1:${CA_PORT}`,
    CA_ROOT_CA: caRoot,
    ALT_CA_HOSTNAME: caName,
    AUTH_TOKEN: tokenPath,
    SECRET_TTL: `${ttlSeconds}s`,
    // The workload sees the proxy's address: keeping the caller's takes policy routing, which is no matter of certificates.
    ENABLE_ORIG_SRC: 'false',
    ISTIO_META_DNS_CAPTURE: 'false',
    RUST_LOG: 'info',
  }
  const words = Object.entries(settings).map(([name, value]) => `${name}=${value}`)
  return ['env', ...words, peer('ztunnel')]
}

const localWorkload = ({ namespace, name, account, ip, node }: Workload) => ({
  ...{ uid: `${CLUSTER}//Pod/${namespace}/${name}`, name, namespace, serviceAccount: account },
  ...{ trustDomain: TRUST_DOMAIN, workloadIps: [ip], protocol: 'HBONE', node, network: '' },
  ...{ canonicalName: account, workloadName: name, clusterId: CLUSTER, services: {} },
})

function readCertificates(dump: string): readonly Certificate[] {
  const { certificates = [] } = JSON.parse(dump)
  return certificates.map(
    (one: {
      identity: string
      state: string
      certChain?: readonly { serialNumber: string; expirationTime: string }[]
      rootCerts?: readonly unknown[]
    }) => ({
      ...{ identity: one.identity, state: one.state },
      serial: one.certChain?.[0]?.serialNumber,
      expires: one.certChain?.[0]?.expirationTime,
      roots: one.rootCerts?.length ?? 0,
    }),
  )
}
