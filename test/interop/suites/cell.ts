/**
 * One cell of the table: a server of one kind with agents of one kind, and the words in which the suites tell their
 * stories. Commands are those of the real command line, whatever answers them.
 */
import { expect } from 'vitest'
import { type Certificate, parseCertificates } from '../../../spiffe/x509/certificate.ts'
import {
  type Agent,
  type AgentOptions,
  type Kind,
  launchAgent,
  type Server,
  type ServerOptions,
  startAgent,
  startServer,
} from '../../processes/cluster.ts'
import { type Result, run } from '../../processes/process.ts'
import { peer } from '../interop.ts'

export interface Cell {
  readonly server: Kind
  readonly agent: Kind
}

/** How long anything may take that SPIRE does by polling every few seconds. */
export const POLL_MS = 90_000

/** A selector of every process that the tests start. */
export const ours = `unix:uid:${process.getuid?.()}`

/** What a cell's server reads its entries by: SPIRE looks every five seconds unless told otherwise. */
const QUICK_SERVER = 'experimental { cache_reload_interval = "1s" }'
const QUICK_AGENT = 'experimental { sync_interval = "1s" }'

export const openServer = ({ server }: Cell, options: ServerOptions = {}): Promise<Server> =>
  startServer(server, { ...options, settings: `${QUICK_SERVER}\n${options.settings ?? ''}` })

export const openAgent = (
  { agent }: Cell,
  server: Server,
  options: AgentOptions = {},
): Promise<Agent> =>
  startAgent(agent, server, { ...options, settings: `${QUICK_AGENT}\n${options.settings ?? ''}` })

/** Whose command lines are tried: SPIRE's, and where all is ours our own too. It starts slowly, so once is enough. */
export const commandLines = ({ server, agent }: Cell): readonly Kind[] =>
  server === 'steeple' && agent === 'steeple' ? ['spire', 'steeple'] : ['spire']

/** An agent that is to be refused. */
export const launch = (
  { agent }: Cell,
  server: Server,
  options: AgentOptions = {},
): Promise<Agent> => launchAgent(agent, server, options)

const said = ({ code, stdout, stderr }: Result) => `exit code ${code}\n${stdout}${stderr}`

/** @returns standard output of a command that has to succeed */
export async function succeed(at: Server | Agent, ...words: readonly string[]): Promise<string> {
  const result = await at.cli('spire', ...words)
  if (result.code !== 0) throw new Error(`${words.join(' ')}: ${said(result)}`)
  return result.stdout
}

/** A command that has to fail, saying so. */
export async function fail(
  at: Server | Agent,
  expected: string | RegExp,
  ...words: readonly string[]
): Promise<void> {
  const result = await at.cli('spire', ...words)
  expect(result.code, `${words.join(' ')}: ${said(result)}`).toBe(1)
  expect(result.stdout + result.stderr).toMatch(expected)
}

/** @returns what a command says in JSON; its form is protojson of the RPC's answer */
export const told = async (at: Server | Agent, ...words: readonly string[]) =>
  JSON.parse(await succeed(at, ...words, '-output', 'json'))

/** Registers an entry below a parent. @returns its ID */
export async function register(
  server: Server,
  parentId: string,
  id: string,
  ...more: readonly string[]
): Promise<string> {
  const selector = more.includes('-selector') ? [] : ['-selector', ours]
  const created = await told(
    server,
    ...['entry', 'create', '-parentID', parentId, '-spiffeID', id, ...selector, ...more],
  )
  const [{ status, entry }] = created.results
  expect(status.code).toBe(0)
  return entry.id
}

export const deleteEntry = (server: Server, entryId: string) =>
  succeed(server, 'entry', 'delete', '-entryID', entryId)

export interface Served {
  readonly id: string
  readonly hint: string
  /** Leaf first. */
  readonly chain: readonly Certificate[]
  readonly key: Buffer
}

/** The X509-SVIDs that a workload is served now; none when it is told that it has no identity. */
export async function served(agent: Agent): Promise<readonly Served[]> {
  const result = await agent.cli('spire', 'api', 'fetch', 'x509', '-output', 'json')
  if (result.code !== 0) {
    if (/no identity issued/.test(said(result))) return []
    throw new Error(said(result))
  }
  const answer = JSON.parse(result.stdout)
  // Cast: protojson of X509SVIDResponse.
  const { svids } = answer as { svids: Readonly<Record<string, string>>[] }
  return svids.map(({ spiffe_id: id = '', hint = '', x509_svid = '', x509_svid_key = '' }) => ({
    id,
    hint,
    chain: parseCertificates(Buffer.from(x509_svid, 'base64')),
    key: Buffer.from(x509_svid_key, 'base64'),
  }))
}

const servedIds = async (agent: Agent) => (await served(agent)).map(({ id }) => id).sort()

/** Whether exactly these identities are served, in any order. */
export const isServed = async (agent: Agent, ...ids: readonly string[]) =>
  (await servedIds(agent)).join() === [...ids].sort().join()

/** One JWT-SVID for an audience, in its compact form. */
export async function servedToken(agent: Agent, audience: string): Promise<string> {
  const [{ svids }] = await told(agent, 'api', 'fetch', 'jwt', '-audience', audience)
  return svids[0].svid
}

/** Key ID of the authority that signed a token. */
export function keyIdOf(token: string): string {
  const [header = ''] = token.split('.')
  return JSON.parse(Buffer.from(header, 'base64url').toString()).kid
}

export const endpointOf = (agent: Agent) => ({ SPIFFE_ENDPOINT_SOCKET: `unix://${agent.socket}` })

/** go-spiffe fetches X.509- and JWT-SVIDs, has them validated by the agent, and validates them itself. */
export const goFetch = (agent: Agent): Promise<Result> =>
  run(peer('go-client'), ['fetch', 'audience'], { env: endpointOf(agent) })

export const goFetches = async (agent: Agent) => (await goFetch(agent)).code === 0

export interface ListedAgent {
  readonly attestation_type: string
  readonly banned: boolean
  readonly can_reattest: boolean
  readonly selectors: readonly { readonly type: string; readonly value: string }[]
  readonly x509svid_serial_number: string
}

/** What the server knows of an agent; undefined: nothing. */
export async function listed(server: Server, id: string): Promise<ListedAgent | undefined> {
  const { code, stdout } = await server.cli(
    'spire',
    ...['agent', 'show', '-spiffeID', id, '-output', 'json'],
  )
  return code === 0 ? JSON.parse(stdout) : undefined
}
