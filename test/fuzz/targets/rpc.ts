/** The handlers of the server's API, each with whatever its codec makes of the bytes; all of a running server is behind them. */
import { status } from '@grpc/grpc-js'
import type { ListFederatedBundlesResponse } from '../../../proto/gen/spire/api/server/bundle/v1/ListFederatedBundlesResponse.ts'
import type { ListEntriesResponse } from '../../../proto/gen/spire/api/server/entry/v1/ListEntriesResponse.ts'
import {
  agentApi,
  bundleApi,
  entryApi,
  localAuthorityApi,
  svidApi,
  syncApi,
} from '../../../proto/load.ts'
import { generateKey } from '../../../spiffe/key.ts'
import { createCsr } from '../../../spiffe/x509/csr.ts'
import { type CapturedServer, captureServer } from '../captured-handlers.ts'
import { broken, type FuzzTarget } from '../target.ts'

const entry = entryApi().service
const bundle = bundleApi().service
const svid = svidApi().service
const agent = agentApi().service
const sync = syncApi().service
const local = localAuthorityApi().service

/** What goes to other machines, and what takes seconds. */
const LEFT_OUT =
  /\/(BatchCreateFederationRelationship|BatchUpdateFederationRelationship|RefreshBundle|Prepare\w+|TakeStep)$/
/** Inputs after which what was made is deleted again. */
const TIDY_AFTER = 512

interface Definition {
  readonly path: string
}
interface Example {
  readonly path: string
  readonly bytes: Buffer
}

const example = <T>(
  method: Definition & { requestSerialize(value: T): Buffer },
  value: T,
): Example => ({ path: method.path, bytes: method.requestSerialize(value) })

const key = await generateKey('ec-p256')
const csr = createCsr({ key, uriSans: ['spiffe://example.org/x'] })
const id = (path: string) => ({ trust_domain: 'example.org', path })
const wireEntry = {
  ...{ spiffe_id: id('/w'), parent_id: id('/spire/agent/a'), dns_names: ['a.b'], hint: 'h' },
  ...{
    selectors: [{ type: 'unix', value: 'uid:1' }],
    x509_svid_ttl: 60,
    federates_with: ['b.org'],
  },
}
const partner = { trust_domain: 'b.org', sequence_number: 1, refresh_hint: 2 }

const EXAMPLES: readonly Example[] = [
  example(entry.BatchCreateEntry, {
    entries: [wireEntry, wireEntry],
    output_mask: { spiffe_id: true },
  }),
  example(entry.BatchUpdateEntry, {
    entries: [{ ...wireEntry, id: 'x' }],
    input_mask: { hint: true },
  }),
  example(entry.BatchDeleteEntry, { ids: ['x', ''] }),
  example(entry.ListEntries, {
    filter: {
      by_spiffe_id: id('/w'),
      by_selectors: { selectors: wireEntry.selectors, match: 'MATCH_ANY' },
      by_federates_with: { trust_domains: ['b.org'], match: 'MATCH_SUPERSET' },
    },
    ...{ page_size: 2, page_token: 'ZW50cmllcy94' },
  }),
  example(entry.GetAuthorizedEntries, { output_mask: { selectors: true } }),
  example(entry.SyncAuthorizedEntries, { ids: ['x'] }),
  example(bundle.BatchCreateFederatedBundle, { bundle: [partner] }),
  example(bundle.BatchSetFederatedBundle, { bundle: [partner] }),
  example(bundle.BatchUpdateFederatedBundle, {
    bundle: [partner],
    input_mask: { refresh_hint: true },
  }),
  example(bundle.BatchDeleteFederatedBundle, { trust_domains: ['b.org'], mode: 'DISSOCIATE' }),
  example(bundle.ListFederatedBundles, { page_size: 1, page_token: 'YnVuZGxlcy9i' }),
  example(bundle.AppendBundle, { x509_authorities: [{ asn1: Buffer.from('3000', 'hex') }] }),
  example(svid.MintX509SVID, { csr, ttl: 60 }),
  example(svid.MintJWTSVID, { id: id('/w'), audience: ['a'], ttl: 60 }),
  example(svid.BatchNewX509SVID, { params: [{ entry_id: 'x', csr }] }),
  example(svid.NewJWTSVID, { entry_id: 'x', audience: ['a'] }),
  example(svid.NewDownstreamX509CA, { csr }),
  example(agent.AttestAgent, {
    params: { data: { type: 'join_token', payload: Buffer.from('x') }, params: { csr } },
  }),
  example(agent.CreateJoinToken, { ttl: 60, agent_id: id('/a') }),
  example(agent.ListAgents, { filter: { by_attestation_type: 'x', by_banned: { value: true } } }),
  example(agent.RenewAgent, { params: { csr } }),
  example(agent.PostStatus, {}),
  example(sync.Watch, {}),
  example(local.ActivateX509Authority, { authority_id: 'x' }),
  example(local.RevokeX509Authority, { authority_id: 'x' }),
]

/** Roles and methods are named by numbers: two bytes before the message. The names are those of all files. */
const NAMES = [
  ...new Set(
    [entry, bundle, svid, agent, sync, local].flatMap((one) =>
      Object.values(one).map(({ path }) => path),
    ),
  ),
]
  .filter((path) => !LEFT_OUT.test(path))
  .toSorted()

const seedOf = (role: number, { path, bytes }: Example) =>
  Buffer.concat([Buffer.of(role, NAMES.indexOf(path)), bytes])

let server: CapturedServer | undefined
let seen = 0

const handlers: FuzzTarget = {
  name: 'rpc-handlers',
  oracle:
    'a call is answered or refused with a reason; it is never our own mistake, and others are served behind it',
  seeds: [
    ...EXAMPLES.flatMap((one) => [seedOf(0, one), seedOf(1, one)]),
    ...NAMES.map((_, at) => Buffer.of(0, at)),
  ],
  dictionary: [
    '\x0a',
    '\x12',
    '\x1a',
    '\x22',
    '\x2a',
    '\x08\x01',
    'example.org',
    'b.org',
    '/w',
    'spiffe://example.org',
    '\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f',
    '\x10\x80\x80\x80\x80\x08',
    'unix',
    'uid:1',
    'ZW50cmllcy8',
  ],
  ...{ maxBytes: 2_048, share: 0.5 },
  async open() {
    server = await captureServer()
  },
  async run(input) {
    if (server === undefined) throw new Error('it is not open')
    const role = ((input[0] ?? 0) & 1) === 0 ? 'admin' : 'agent'
    const method = NAMES[(input[1] ?? 0) % NAMES.length] ?? ''
    const answer = await server.call(role, method, input.subarray(2))
    if (answer === undefined) return
    if (answer.code === status.INTERNAL || answer.code === status.UNKNOWN) {
      throw broken(`${method}: ${answer.details}`, new Error(answer.logged))
    }
    seen += 1
    if (seen % TIDY_AFTER === 0) await tidy(server)
  },
  async close() {
    await server?.[Symbol.asyncDispose]()
  },
}

/** What was registered goes again: memory that grows would say nothing otherwise. */
async function tidy({ call }: CapturedServer): Promise<void> {
  const ask = async (method: Definition, bytes: Buffer) => {
    const answer = await call('admin', method.path, bytes)
    if (answer?.code !== status.OK) throw broken(`${method.path}: ${answer?.details}`)
    return answer.reply
  }
  // Casts: the replies of these methods.
  const { entries } = (await ask(entry.ListEntries, Buffer.alloc(0))) as ListEntriesResponse
  await ask(
    entry.BatchDeleteEntry,
    entry.BatchDeleteEntry.requestSerialize({ ids: entries.map((one) => one.id) }),
  )
  const listed = await ask(bundle.ListFederatedBundles, Buffer.alloc(0))
  const { bundles } = listed as ListFederatedBundlesResponse
  const trust_domains = bundles.map((one) => one.trust_domain)
  const request = { trust_domains, mode: 'DELETE' } as const
  await ask(
    bundle.BatchDeleteFederatedBundle,
    bundle.BatchDeleteFederatedBundle.requestSerialize(request),
  )
}

export const targets: readonly FuzzTarget[] = [handlers]
