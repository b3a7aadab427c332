/**
 * The few calls of a SPIRE server that an agent makes, over real TLS and gRPC. Tests set what it holds, see what it was
 * asked, and may refuse any call.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import type { AgentHandlers } from '../../proto/gen/spire/api/server/agent/v1/Agent.ts'
import type { BundleHandlers } from '../../proto/gen/spire/api/server/bundle/v1/Bundle.ts'
import type { EntryHandlers } from '../../proto/gen/spire/api/server/entry/v1/Entry.ts'
import type { SVIDHandlers } from '../../proto/gen/spire/api/server/svid/v1/SVID.ts'
import type { EntryInput } from '../../proto/gen/spire/api/types/Entry.ts'
import type { SyncHandlers } from '../../proto/gen/steeple/server/sync/v1/Sync.ts'
import type { WatchRequest } from '../../proto/gen/steeple/server/sync/v1/WatchRequest.ts'
import type { WatchResponseInput } from '../../proto/gen/steeple/server/sync/v1/WatchResponse.ts'
import { agentApi, bundleApi, entryApi, svidApi, syncApi } from '../../proto/load.ts'
import { addService, type Call } from '../../proto/serve.ts'
import { ITEM_OK, toItemStatus } from '../../proto/status.ts'
import { toWireBundle, toWireId } from '../../proto/wire.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import { unixSeconds } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { parseSpiffeId, type SpiffeId } from '../../spiffe/id.ts'
import { signJwtSvid } from '../../spiffe/jwt/sign.ts'
import { generateKey } from '../../spiffe/key.ts'
import { parseCsr } from '../../spiffe/x509/csr.ts'
import { leafSigner } from '../../spiffe/x509/issue-leaf.ts'
import { toPemChain } from '../../spiffe/x509/pem.ts'
import { type TestCa, testCa } from './ca.ts'
import type { FakeClock } from './clock.ts'

/** The client's certificate, hex serial; undefined without one. */
interface Peer {
  readonly serial: string | undefined
}

export class FakeServer implements AsyncDisposable {
  readonly calls: string[] = []
  readonly peers: Peer[] = []
  readonly entries = new Map<string, EntryInput>()
  readonly federated = new Map<string, Bundle>()
  /** Join tokens that have not been used. */
  readonly tokens = new Set(['token'])
  bundle: Bundle
  /** Put to an attesting agent one after the other. */
  challenges: readonly Uint8Array[] = []
  readonly responses: Uint8Array[] = []
  reattestable = false
  /** Decided when it begins to listen. */
  pushes = true
  /** False: only GetAuthorizedEntries. */
  syncs = true
  /** What the complete state says beside the state. */
  promises: Pick<WatchResponseInput, 'sequence' | 'heartbeat_ms'> = {}
  readonly watchRequests: WatchRequest[] = []
  pageItems = 500
  ttlMs = 3600_000
  /** Runs before every call; throws to refuse it. */
  gate: (method: string, request: unknown) => void | Promise<void> = () => {}
  /** Which entry is refused a signature. */
  refused: (entryId: string) => IdentityError | undefined = () => undefined
  port = 0
  readonly #ca: TestCa
  readonly #clock: FakeClock
  readonly #watches = new Set<(message: WatchResponseInput) => void>()
  readonly #sockets = new Set<Socket>()
  #stop: () => Promise<void> = async () => {}

  private constructor(ca: TestCa, clock: FakeClock) {
    this.#ca = ca
    this.#clock = clock
    this.bundle = ca.bundle
  }

  static async start(
    clock: FakeClock,
    {
      ca,
      pushes = true,
      port = 0,
    }: { readonly ca?: TestCa; readonly pushes?: boolean; readonly port?: number } = {},
  ): Promise<FakeServer> {
    const server = new FakeServer(ca ?? (await testCa()), clock)
    server.port = port
    server.pushes = pushes
    await server.listen()
    return server
  }

  /** Also after `stop`, on the same port. */
  async listen(): Promise<void> {
    const leaf = await this.#ca.leaf('/spire/server')
    const grpc = new Server()
    const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure())
    const listener = createServer({
      cert: toPemChain(leaf.chain),
      key: leaf.key.export({ type: 'pkcs8', format: 'pem' }),
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
    })
    listener.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    listener.on('secureConnection', (socket: TLSSocket) => {
      this.peers.push({ serial: socket.getPeerCertificate().serialNumber?.toLowerCase() })
      injector.injectConnection(socket)
    })
    this.#serve(grpc)
    listener.listen(this.port, '127.0.0.1')
    await once(listener, 'listening')
    // Cast: it listens on TCP.
    this.port = (listener.address() as AddressInfo).port
    this.#stop = async () => {
      listener.close()
      for (const socket of this.#sockets) socket.destroy()
      grpc.forceShutdown()
      injector.destroy()
      this.#watches.clear()
    }
  }

  async stop(): Promise<void> {
    await this.#stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  get watchers(): number {
    return this.#watches.size
  }

  /** To all open streams. */
  push(message: WatchResponseInput): void {
    for (const send of this.#watches) send(message)
  }

  /** An SVID of this server's CA. */
  sign(csr: Uint8Array, id: SpiffeId): readonly Uint8Array[] {
    const { certificate, key } = this.#ca
    const now = this.#clock.now().getTime()
    const leaf = leafSigner({ certificate, key })({
      spki: parseCsr(csr).spki,
      id,
      dnsNames: [],
      notBefore: new Date(now - 10_000),
      notAfter: new Date(now + this.ttlMs),
      serial: Buffer.concat([Buffer.of(1), randomBytes(15)]),
    })
    return [leaf, ...this.#ca.chain.slice(0, -1)]
  }

  #serve(server: Server): void {
    const endpoint = {
      server,
      callerOf: () => undefined,
      authorize: async ({ method }: Call<undefined>, request: unknown) => {
        this.calls.push(method.split('/').at(-1) ?? '')
        await this.gate(method.split('/').at(-1) ?? '', request)
      },
      onFailure: () => {},
    }
    addService<undefined, AgentHandlers>(endpoint, agentApi().service, this.#agent())
    addService<undefined, BundleHandlers>(endpoint, bundleApi().service, {
      GetBundle: async () => toWireBundle(this.bundle),
      GetFederatedBundle: async ({ trust_domain }) => {
        const found = this.federated.get(trust_domain)
        if (found === undefined) throw new IdentityError('NOT_FOUND', 'bundle not found')
        return toWireBundle(found)
      },
    })
    addService<undefined, EntryHandlers>(endpoint, entryApi().service, this.#entry())
    addService<undefined, SVIDHandlers>(endpoint, svidApi().service, this.#svid())
    if (this.pushes) {
      addService<undefined, SyncHandlers>(endpoint, syncApi().service, {
        Watch: async (request, call, send) => {
          this.watchRequests.push(request)
          this.#watches.add(send)
          await send({
            ...this.promises,
            snapshot: true,
            entries: [...this.entries.values()],
            bundle: toWireBundle(this.bundle),
          })
          if (!call.signal.aborted) await once(call.signal, 'abort')
          this.#watches.delete(send)
        },
      })
    }
  }

  #agent(): Parameters<typeof addService<undefined, AgentHandlers>>[2] {
    return {
      AttestAgent: async (requests, _, send) => {
        const incoming = requests[Symbol.asyncIterator]()
        const { value: first } = await incoming.next()
        for (const challenge of this.challenges) {
          await send({ challenge })
          const { value: next } = await incoming.next()
          this.responses.push(next?.challenge_response ?? Buffer.alloc(0))
        }
        const token = first?.params?.data?.payload.toString() ?? ''
        if (!this.tokens.delete(token)) {
          const why = 'failed to attest: join token does not exist or has already been used'
          throw new IdentityError('REQUEST_INVALID', why)
        }
        const { trustDomain } = this.#ca
        const id = parseSpiffeId(`spiffe://${trustDomain}/spire/agent/join_token/${token}`)
        const cert_chain = [...this.sign(first?.params?.params?.csr ?? Buffer.alloc(0), id)]
        const { reattestable } = this
        await send({ result: { svid: { cert_chain, id: toWireId(id) }, reattestable } })
      },
      RenewAgent: async ({ params }) => {
        const { trustDomain } = this.#ca
        const id = parseSpiffeId(`spiffe://${trustDomain}/spire/agent/join_token/token`)
        return { svid: { cert_chain: [...this.sign(params?.csr ?? Buffer.alloc(0), id)] } }
      },
      PostStatus: async () => ({}),
    }
  }

  #entry(): Parameters<typeof addService<undefined, EntryHandlers>>[2] {
    const all = () => [...this.entries.values()]
    return {
      GetAuthorizedEntries: async () => ({ entries: all() }),
      SyncAuthorizedEntries: async (requests, _, send) => {
        if (!this.syncs) throw new IdentityError('NOT_IMPLEMENTED', 'unknown method')
        const paged = all().length > this.pageItems
        let isFirst = true
        for await (const { ids } of requests) {
          const isList = isFirst && !paged
          const entries = isList ? all() : ids.flatMap((id) => this.entries.get(id) ?? [])
          if (isFirst && paged) await this.#sendRevisions(send)
          else await this.#sendEntries(entries, send)
          isFirst = false
        }
      },
    }
  }

  async #sendRevisions(send: (message: { entry_revisions: object[]; more: boolean }) => unknown) {
    const revisions = [...this.entries.values()].map(({ id, revision_number, created_at }) => ({
      id,
      revision_number,
      created_at,
    }))
    for (let at = 0; at < revisions.length; at += this.pageItems) {
      const more = at + this.pageItems < revisions.length
      await send({ entry_revisions: revisions.slice(at, at + this.pageItems), more })
    }
  }

  async #sendEntries(
    entries: readonly EntryInput[],
    send: (message: { entries: EntryInput[]; more: boolean }) => unknown,
  ) {
    let at = 0
    do {
      const more = at + this.pageItems < entries.length
      await send({ entries: entries.slice(at, at + this.pageItems), more })
      at += this.pageItems
    } while (at < entries.length)
  }

  #svid(): Parameters<typeof addService<undefined, SVIDHandlers>>[2] {
    const idOf = (entryId: string) => {
      const { spiffe_id } = this.entries.get(entryId) ?? {}
      const refusal =
        spiffe_id === undefined || spiffe_id === null
          ? new IdentityError('NOT_FOUND', 'entry not found or not authorized')
          : this.refused(entryId)
      if (refusal !== undefined) throw refusal
      return parseSpiffeId(`spiffe://${spiffe_id?.trust_domain}${spiffe_id?.path}`)
    }
    return {
      BatchNewX509SVID: async ({ params }) => ({
        results: params.map(({ entry_id, csr }) => {
          try {
            return { status: ITEM_OK, svid: { cert_chain: [...this.sign(csr, idOf(entry_id))] } }
          } catch (error) {
            return { status: toItemStatus(error), svid: null }
          }
        }),
      }),
      NewJWTSVID: async ({ entry_id, audience }) => {
        const key = await generateKey('ec-p256')
        const issuedAt = this.#clock.now()
        const expiresAt = new Date(issuedAt.getTime() + 300_000)
        const id = idOf(entry_id)
        const token = await signJwtSvid({ key, keyId: 'k', id, audience, issuedAt, expiresAt })
        return { svid: { token, id: toWireId(id), expires_at: unixSeconds(expiresAt) } }
      },
    }
  }
}

/** An entry as a server sends it. */
export function wireEntry(id: string, change: EntryInput = {}): EntryInput {
  return {
    id,
    spiffe_id: { trust_domain: 'example.org', path: `/${id}` },
    parent_id: { trust_domain: 'example.org', path: '/node' },
    selectors: [{ type: 'unix', value: 'uid:0' }],
    revision_number: 0,
    created_at: 1,
    ...change,
  }
}
