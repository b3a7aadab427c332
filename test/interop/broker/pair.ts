/** Our agent and spire-agent under one server, both serving the Broker API on a Unix socket and over TCP to the same brokers. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Agent,
  type Kind,
  type Server,
  startAgent,
  startServer,
} from '../../processes/cluster.ts'
import { freePort } from '../../processes/free-port.ts'
import {
  type Broker,
  type BrokerFiles,
  connectBroker,
  OBJECT_TYPE,
  PID_TYPE,
} from './broker-call.ts'

export const BROKERS = ['full', 'pid', 'objects', 'stranger', 'nobody'] as const
export type Who = (typeof BROKERS)[number]
export type Transport = 'unix' | 'tcp'

export interface BrokerAgent {
  readonly agent: Agent
  connect(who: Who, transport: Transport): Broker
}

export interface Pair extends AsyncDisposable {
  readonly server: Server
  readonly ours: BrokerAgent
  readonly theirs: BrokerAgent
  /** At both agents, whose entries are alike. */
  create(path: string, selector: string, ...more: readonly string[]): Promise<void>
}

/** What is configured of three of them; the stranger has an SVID alone, and nobody has not even that. */
const settings = (socket: string, port: number) => `experimental {
    broker {
      socket_path = "${socket}"
      bind_address = "127.0.0.1:${port}"
      brokers = [
        { id = "spiffe://example.org/full", allowed_reference_types = [{ type_url = "*", allow_over_tcp = true }] },
        { id = "spiffe://example.org/pid", allowed_reference_types = [{ type_url = "${PID_TYPE}" }] },
        { id = "spiffe://example.org/objects", allowed_reference_types = [{ type_url = "${OBJECT_TYPE}", allow_over_tcp = true }] },
      ]
    }
  }`

/** @param plugins further lines of the `plugins` block of an agent */
export async function startPair(plugins: (kind: Kind) => string = () => ''): Promise<Pair> {
  const server = await startServer('spire')
  const dir = mkdtempSync(join(tmpdir(), 'broker-'))
  const bundle = await server.bundleFile()
  const files = new Map<Who, BrokerFiles | { bundle: string }>([['nobody', { bundle }]])
  for (const who of BROKERS.slice(0, -1)) files.set(who, await mint(server, dir, who, bundle))
  const open = async (kind: Kind): Promise<BrokerAgent> => {
    const [socket, port] = [join(dir, `${kind}.sock`), await freePort()]
    const options = { settings: settings(socket, port), plugins: plugins(kind) }
    const agent = await startAgent(kind, server, options)
    return {
      agent,
      connect(who, transport) {
        const target = transport === 'unix' ? `unix:${socket}` : `127.0.0.1:${port}`
        return connectBroker(target, files.get(who) ?? { bundle })
      },
    }
  }
  const ours = await open('steeple')
  const theirs = await open('spire')
  return {
    ...{ server, ours, theirs },
    async create(path, selector, ...more) {
      for (const { agent } of [ours, theirs]) {
        // Of entries with one hint the oldest is served, or that of the lowest ID: the same path at both.
        const entryId = `${agent.kind}${path.replaceAll('/', '-')}`
        const flags = [
          '-entryID',
          entryId,
          '-parentID',
          agent.id,
          '-spiffeID',
          `spiffe://example.org${path}`,
          ...more,
        ]
        const words = ['entry', 'create', ...flags, '-selector', selector]
        const { code, stderr } = await server.cli('spire', ...words)
        if (code !== 0) throw new Error(stderr)
      }
    },
    async [Symbol.asyncDispose]() {
      await ours.agent[Symbol.asyncDispose]()
      await theirs.agent[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

async function mint(server: Server, dir: string, who: Who, bundle: string): Promise<BrokerFiles> {
  const into = mkdtempSync(join(dir, `${who}-`))
  const id = `spiffe://example.org/${who}`
  const { code, stderr } = await server.cli(
    'spire',
    'x509',
    'mint',
    '-spiffeID',
    id,
    '-write',
    into,
  )
  if (code !== 0) throw new Error(stderr)
  return { cert: join(into, 'svid.pem'), key: join(into, 'key.pem'), bundle }
}
