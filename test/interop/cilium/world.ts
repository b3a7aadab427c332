/**
 * A server and an agent as Cilium's installation sets them up, the operator with its own SVID at the server's port, and Cilium's
 * agent at the admin socket. Both are this process, told apart by what they ask for, as their entries have the same selector.
 */
import { readFileSync } from 'node:fs'
import { credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import type { SubscribeToX509BundlesResponse } from '../../../proto/gen/spire/api/agent/delegatedidentity/v1/SubscribeToX509BundlesResponse.ts'
import type { ListEntriesRequestInput } from '../../../proto/gen/spire/api/server/entry/v1/ListEntriesRequest.ts'
import type { Entry, EntryInput } from '../../../proto/gen/spire/api/types/Entry.ts'
import type { X509SVIDResponse } from '../../../proto/gen/X509SVIDResponse.ts'
import { delegatedIdentityApi, entryApi, workloadApi } from '../../../proto/load.ts'
import { toPem } from '../../../spiffe/x509/pem.ts'
import { messages, next, secured, unary } from '../../fakes/workload-endpoint.ts'
import {
  type Agent,
  type Kind,
  type Server,
  startAgent,
  startServer,
} from '../../processes/cluster.ts'
import { until } from '../../processes/process.ts'
import { type Followed, followSvids } from './followed.ts'

const DOMAIN = 'spiffe.cilium'
const OPERATOR = '/cilium-operator'
const DELEGATE = '/cilium-agent'
/** As Cilium's batches and its gRPC client have it. */
const BATCH = 200
const MAX_MESSAGE_BYTES = 20 << 20
const ABSENT = 'absent-entry'

export const SELECTORS = [{ type: 'cilium', value: 'mutual-auth' }]

export function inBatches(numbers: readonly number[]): readonly (readonly number[])[] {
  const count = Math.ceil(numbers.length / BATCH)
  return Array.from({ length: count }, (_, at) => numbers.slice(at * BATCH, (at + 1) * BATCH))
}

const idOf = (path: string) => ({ trust_domain: DOMAIN, path })
const entryOf = (number: number): EntryInput => ({
  ...{ parent_id: idOf(OPERATOR), spiffe_id: idOf(`/identity/${number}`), selectors: SELECTORS },
})

/** Each change gives the code of each item. */
export interface Operator extends Disposable {
  create(numbers: readonly number[]): Promise<readonly number[]>
  update(numbers: readonly number[]): Promise<readonly number[]>
  updateAbsent(): Promise<readonly number[]>
  delete(numbers: readonly number[]): Promise<readonly number[]>
  deleteAbsent(): Promise<readonly number[]>
  /** By SPIFFE ID, parent and exactly these selectors. */
  find(number: number): Promise<readonly Entry[]>
  findOther(number: number): Promise<readonly Entry[]>
  /** Paths, page by page. */
  listAll(): Promise<readonly string[]>
}

export interface Cilium extends AsyncDisposable {
  /** What the delegate is told before it has an entry. */
  refusalOfDelegate(): Promise<string>
  operator(): Promise<Operator>
  follow(): Promise<Followed>
  /** Trust domains and the length of their bundles. */
  bundles(): Promise<readonly (readonly [string, number])[]>
  usage(): { readonly cpuMs: number; readonly rssMb: number }
}

export async function startCilium(kind: Kind): Promise<Cilium> {
  const server = await startServer(kind, { trustDomain: DOMAIN })
  const settings = `authorized_delegates = ["spiffe://${DOMAIN}${DELEGATE}"]`
  const agent = await startAgent(kind, server, { hasAdminSocket: true, settings })
  const admin = new (delegatedIdentityApi())(
    `unix:${agent.adminSocket}`,
    credentials.createInsecure(),
    { 'grpc.max_receive_message_length': MAX_MESSAGE_BYTES },
  )
  const register = async (path: string, ...more: readonly string[]) => {
    const words = ['-parentID', agent.id, '-spiffeID', `spiffe://${DOMAIN}${path}`]
    const selector = ['-selector', `unix:uid:${process.geteuid?.()}`]
    const { code, stderr } = await server.cli(
      kind,
      'entry',
      'create',
      ...words,
      ...selector,
      ...more,
    )
    if (code !== 0) throw new Error(stderr)
  }
  return {
    async refusalOfDelegate() {
      const stream = messages(admin.SubscribeToX509SVIDs({ selectors: SELECTORS }))
      const refused = await stream.next().catch((error: unknown) => error as ServiceError)
      if (!(refused instanceof Error)) throw new Error('a delegate without an entry was served')
      return refused.details
    },
    async operator() {
      await register(OPERATOR, '-admin')
      await register(DELEGATE)
      return await openOperator(server, agent)
    },
    follow: () => followSvids(admin, SELECTORS),
    async bundles() {
      const stream = admin.SubscribeToX509Bundles({})
      const { ca_certificates } = await next<SubscribeToX509BundlesResponse>(messages(stream))
      stream.cancel()
      return Object.entries(ca_certificates).map(([id, der]) => [id, der.length] as const)
    },
    usage: () => usageOf(agent.process().pid),
    async [Symbol.asyncDispose]() {
      admin.close()
      await agent[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

async function openOperator(server: Server, agent: Agent): Promise<Operator> {
  const { x509_svid, x509_svid_key, bundle } = await ownSvid(agent)
  const client = new (entryApi())(
    `127.0.0.1:${server.port}`,
    credentials.createSsl(
      Buffer.from(toPem('CERTIFICATE', bundle)),
      Buffer.from(toPem('PRIVATE KEY', x509_svid_key)),
      Buffer.from(toPem('CERTIFICATE', x509_svid)),
      { checkServerIdentity: () => undefined }, // any ID of the trust domain, as Cilium has it
    ),
    { 'grpc.max_receive_message_length': MAX_MESSAGE_BYTES, 'grpc.default_authority': 'server' },
  )
  const list = async (request: ListEntriesRequestInput) =>
    unary<{ entries: Entry[]; next_page_token: string }>(
      (by, done) => client.ListEntries(request, by, done as never),
      new Metadata(),
    )
  const findBy = async (number: number, selectors: typeof SELECTORS) => {
    const by_selectors = { match: 'MATCH_EXACT' as const, selectors }
    const filter = {
      ...{ by_spiffe_id: idOf(`/identity/${number}`), by_parent_id: idOf(OPERATOR), by_selectors },
    }
    return (await list({ filter })).entries
  }
  const find = (number: number) => findBy(number, SELECTORS)
  const idsOf = async (numbers: readonly number[]) =>
    (await Promise.all(numbers.map(find))).map(([one]) => one?.id ?? ABSENT)
  type Results = { results: readonly { status: { code: number } | null }[] }
  const codes = async (call: (done: (error: Error | null, reply?: Results) => void) => unknown) => {
    const { results } = await unary<Results>((_, done) => call(done))
    return results.map(({ status }) => status?.code ?? 0)
  }
  const update = (entries: readonly EntryInput[]) =>
    codes((done) => client.BatchUpdateEntry({ entries: [...entries] }, done as never))
  const remove = (ids: readonly string[]) =>
    codes((done) => client.BatchDeleteEntry({ ids: [...ids] }, done as never))
  return {
    find,
    findOther: (number) => findBy(number, [{ type: 'cilium', value: 'other' }]),
    create: (numbers) =>
      codes((done) => client.BatchCreateEntry({ entries: numbers.map(entryOf) }, done as never)),
    async update(numbers) {
      const ids = await idsOf(numbers)
      return update(numbers.map((number, at) => ({ ...entryOf(number), id: ids[at] ?? ABSENT })))
    },
    updateAbsent: () => update([{ ...entryOf(1), id: ABSENT }]),
    delete: async (numbers) => remove(await idsOf(numbers)),
    deleteAbsent: () => remove([ABSENT]),
    async listAll() {
      const paths: string[] = []
      let page_token = ''
      do {
        const filter = { by_parent_id: idOf(OPERATOR) }
        const page = await list({ filter, page_size: BATCH, page_token })
        paths.push(...page.entries.map(({ spiffe_id }) => spiffe_id?.path ?? ''))
        page_token = page.next_page_token
      } while (page_token !== '')
      return paths
    },
    [Symbol.dispose]: () => client.close(),
  }
}

/** Of the operator, over the Workload API. */
async function ownSvid(agent: Agent) {
  const api = new (workloadApi())(`unix:${agent.socket}`, credentials.createInsecure())
  try {
    let found: X509SVIDResponse['svids'][number] | undefined
    await until('the operator to have its SVID', async () => {
      const stream = api.FetchX509SVID({}, secured())
      const first = await next<X509SVIDResponse>(messages(stream)).catch(unlessNone)
      stream.cancel()
      found = first?.svids.find(({ spiffe_id }) => spiffe_id.endsWith(OPERATOR))
      return found !== undefined
    })
    if (found === undefined) throw new Error('the operator has no SVID')
    return found
  } finally {
    api.close()
  }
}

function unlessNone(error: unknown): undefined {
  const { code } = error as ServiceError
  if (code !== status.PERMISSION_DENIED) throw error
}

const TICK_MS = 10

function usageOf(pid: number): ReturnType<Cilium['usage']> {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [, kb = '0'] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return { cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS, rssMb: Number(kb) / 1024 }
}
