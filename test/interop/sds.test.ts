/** Secret discovery of our agent beside spire-agent's, and real Envoys that live on it. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'vitest'
import type { Agent } from '../processes/cluster.ts'
import { run, until } from '../processes/process.ts'
import { giveIdentity, startProxy } from '../processes/proxy.ts'
import { interop, peer } from './interop.ts'
import {
  askDelta,
  asking,
  converseOnce,
  fetchOnce,
  type OpenStream,
  openStream,
  type Told,
} from './sds/ask.ts'
import { startDomain, startDomains } from './sds/domains.ts'
import { type ApiType, get, type RunningEnvoy, startEnvoy } from './sds/envoy.ts'
import { startPair, succeed } from './sds/pair.ts'
import {
  ASKS,
  type Ask,
  DB,
  ELSEWHERE,
  OWN,
  PARTNER,
  SCRIPTS,
  THIRD,
  TWICE,
  WEB,
} from './sds/requests.ts'
import { decodeSecret, shapeOfAnswer } from './sds/shape.ts'
import { sendTraffic } from './sds/traffic.ts'

const OWN_UID = ['-selector', `unix:uid:${process.geteuid?.()}`]
const OWN_GID = ['-selector', `unix:gid:${process.getegid?.()}`]

const namesIn = ({ answers }: Told) =>
  answers.map(({ resources }) => resources.map((any) => decodeSecret(any).name))

function compare(title: string, our: Told, their: Told, accepted: Ask['accepted']): void {
  if (accepted !== undefined) {
    expect(their.text, `${title}: ${accepted.why}`).toContain('workload is not authorized')
    expect(namesIn(our), title).toEqual([accepted.answers])
    return
  }
  expect({ ...our, answers: our.answers.map(shapeOfAnswer) }, title).toEqual({
    ...their,
    answers: their.answers.map(shapeOfAnswer),
  })
}

interop(
  'an Envoy is told the same by either agent, whatever it asks for',
  ['spire-server', 'spire-agent', 'grpcurl'],
  async () => {
    await using pair = await startPair()
    const { ours, theirs, createEntry } = pair
    await createEntry('a', WEB, ...OWN_UID, '-federatesWith', PARTNER)
    await createEntry('b', DB, ...OWN_UID, '-hint', 'same')
    await createEntry('c', TWICE, ...OWN_UID, '-hint', 'same', '-dns', 'c.example.org')
    await createEntry('d', TWICE, ...OWN_UID, ...OWN_GID)
    await createEntry('e', ELSEWHERE, '-selector', 'unix:uid:4242', '-federatesWith', THIRD)
    for (const { socket, kind } of pair.both) {
      await until(`the ${kind} agent to know all entries`, async () => {
        const told = await fetchOnce(socket, asking([]))
        return namesIn(told)[0]?.length === 6
      })
    }
    for (const { title, request, accepted } of ASKS) {
      const [our, their] = [
        await fetchOnce(ours.socket, request),
        await fetchOnce(theirs.socket, request),
      ]
      compare(`fetch: ${title}`, our, their, accepted)
      const steps = [{ request, isAnswered: true }]
      const [mine, other] = [
        await converseOnce(ours.socket, steps),
        await converseOnce(theirs.socket, steps),
      ]
      compare(`stream: ${title}`, mine, other, accepted)
    }
    for (const { title, steps } of SCRIPTS) {
      const [our, their] = [
        await converseOnce(ours.socket, steps),
        await converseOnce(theirs.socket, steps),
      ]
      compare(title, our, their, undefined)
    }
    // A tool that knows no .proto file shows secrets down to what is inside of them.
    const method = 'envoy.service.secret.v3.SecretDiscoveryService/FetchSecrets'
    const [our, their] = await Promise.all(
      [ours, theirs].map(({ socket }) =>
        run(peer('grpcurl'), [
          ...['-plaintext', '-d', '{"resource_names":["ALL"]}', `unix://${socket}`, method],
        ]),
      ),
    )
    expect(our?.stdout).toContain('"name": "partner.org"')
    expect(our).toEqual(their)
  },
)

/** One stream at each agent, asked the same. */
function openPair(sockets: readonly string[]) {
  const streams = sockets.map((socket) => ({ stream: openStream(socket), last: '' }))
  return {
    say(request: Parameters<OpenStream['say']>[0]) {
      for (const { stream } of streams) stream.say(request)
    },
    /**
     * What both carry next that is new is the same. SPIRE's agent repeats what was sent, with another version, when an entry
     * has come whose SVID is still being signed; ours says nothing until it has something to say.
     */
    async expectSame(title: string): Promise<readonly string[]> {
      const news = await Promise.all(
        streams.map(async (one) => {
          for (;;) {
            const told = await one.stream.next()
            const resources = told.answers.map((answer) => shapeOfAnswer(answer).resources)
            const now = JSON.stringify({ ...told, answers: resources })
            if (now === one.last) continue
            one.last = now
            return { ...told, answers: resources }
          }
        }),
      )
      expect(news[0], title).toEqual(news[1])
      return news[0]?.answers[0]?.map(({ secret }) => secret.name) ?? []
    },
    [Symbol.dispose]() {
      for (const { stream } of streams) stream[Symbol.dispose]()
    },
  }
}

interop(
  'an Envoy that lives through the coming and going of its entries hears the same from either agent',
  ['spire-server', 'spire-agent'],
  async () => {
    await using pair = await startPair()
    const { ours, theirs, both, createEntry, updateEntry, deleteEntry } = pair
    const sockets = both.map(({ socket }) => socket)
    // Nobody has an identity yet.
    for (const names of [
      ['default'],
      ['ROOTCA'],
      ['ALL'],
      [],
      [WEB],
      [PARTNER],
      ['default', 'ROOTCA'],
    ]) {
      const [our, their] = await Promise.all(sockets.map((to) => fetchOnce(to, asking(names))))
      if (our === undefined || their === undefined) throw new Error('two agents are asked')
      compare(`without an identity: ${names}`, our, their, undefined)
    }
    expect(ours.process().output()).toMatch(
      /A proxy asked for secrets.* why="the agent has no registration entries/,
    )
    using everything = openPair(sockets)
    everything.say(asking([]))
    expect(await everything.expectSame('nothing but the own bundle')).toEqual([OWN])
    await createEntry('a', WEB, ...OWN_UID)
    expect(await everything.expectSame('an identity')).toEqual([OWN, WEB])
    using named = openPair(sockets)
    named.say(asking(['default']))
    expect(await named.expectSame('the identity by name')).toEqual(['default'])
    await updateEntry('a', WEB, ...OWN_UID, '-federatesWith', PARTNER)
    expect(await everything.expectSame('a federated bundle')).toEqual([OWN, PARTNER, WEB])
    await deleteEntry('a')
    expect(await everything.expectSame('the own bundle again')).toEqual([OWN])
    expect(await named.expectSame('the refusal of a name that has gone')).toEqual([])

    const told = { code: '', names: ['ROOTCA'], removed: ['default'] }
    expect(await askDelta(ours.socket, ['default', 'ROOTCA'])).toEqual(told)
    expect((await askDelta(theirs.socket, ['default'])).code).toBe('UNIMPLEMENTED')
  },
)

const NAMED = `sds {
  default_svid_name = "own"
  default_bundle_name = "root"
  default_all_bundles_name = "every"
  disable_spiffe_cert_validation = true
}`

interop(
  'names, the validator, limits and the switch of the configuration are the same to either agent',
  ['spire-server', 'spire-agent'],
  async () => {
    await using pair = await startPair(NAMED, 'ratelimit { stream_secrets = 1 fetch_secrets = 40 }')
    const { ours, theirs, both, createEntry } = pair
    await createEntry('a', WEB, ...OWN_UID, '-federatesWith', PARTNER)
    for (const { socket, kind } of both) {
      await until(`the ${kind} agent to know the entry`, async () => {
        const told = await fetchOnce(socket, asking([WEB]))
        return told.code === ''
      })
    }
    const fields = {
      disable_spiffe_cert_validation: { kind: 'boolValue' as const, boolValue: false },
    }
    const wanting = { node: { id: 'envoy', metadata: { fields } } }
    const asks = [
      ...['own', 'root', 'every', 'default', 'ROOTCA', 'ALL', OWN, WEB].map((one) => asking([one])),
      ...['root', 'every', PARTNER].map((one) => asking([one], wanting)),
    ]
    for (const request of asks) {
      const our = await fetchOnce(ours.socket, request)
      compare(JSON.stringify(request), our, await fetchOnce(theirs.socket, request), undefined)
    }
    const steps = [{ request: asking(['root']), isAnswered: true }]
    for (const [at, code] of ['', 'UNAVAILABLE'].entries()) {
      const [our, their] = [
        await converseOnce(ours.socket, steps),
        await converseOnce(theirs.socket, steps),
      ]
      compare(`call ${at + 1} of a second`, our, their, undefined)
      expect(our.code).toBe(code)
    }
    await Promise.all(both.map((agent) => agent.restart('-disableSDSAPI')))
    for (const { socket } of both) {
      expect((await fetchOnce(socket, asking([]))).code).toBe('UNIMPLEMENTED')
    }
  },
)

/** Short enough for ten rotations while a test looks on. */
const SVID_SECONDS = '8'
const ROTATIONS = 10
const A = 'spiffe://example.org/a'
const B = 'spiffe://partner.org/b'

const STRICT = {
  'strict.yaml': `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: istio-system }
spec: { mtls: { mode: STRICT } }
`,
}

/** A program behind a proxy of ours that lets in whoever of the other trust domain can show who it is. */
async function startProxied(agent: Agent) {
  const workload = createServer((_, response) => void response.end('from the workload'))
  workload.listen(0, '127.0.0.1')
  await once(workload, 'listening')
  const { port } = workload.address() as AddressInfo // cast: it listens on TCP
  const proxy = await startProxy(agent, {
    settings: `mesh { federated_trust_domains = ["example.org"] }
      inbound "b" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:${port}" }`,
    policies: STRICT,
  })
  return {
    port: (await proxy.address('b')).port,
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]()
      workload.close()
    },
  }
}

/** Envoy opens one for each name. */
const STREAMS = 2

/** How often each TLS context of an Envoy was made anew. */
const updatesOf = async (envoys: readonly RunningEnvoy[]) =>
  (await Promise.all(envoys.map((one) => one.stats('ssl_context_update_by_sds$')))).flatMap(
    Object.values<number>,
  )

interop(
  'Envoys and our proxy in two trust domains rotate ten times under constant requests, and none fails',
  ['envoy', 'spire-server', 'spire-agent'],
  async () => {
    await using domains = await startDomains()
    const { example, partner } = domains
    const ttl = ['-x509SVIDTTL', SVID_SECONDS]
    // Both Envoys come before anybody has an identity, and wait for it.
    await using envoyB = await startEnvoy({
      ...{ socket: partner.agent.socket, api: 'DELTA_GRPC' },
      inbound: { svid: 'default', bundle: 'ALL', peer: A },
    })
    const federatesWith = (id: string) => [...ttl, '-federatesWith', id]
    await giveIdentity(partner.server, partner.agent, '/b', ...federatesWith(OWN))
    await until('the Envoy that asks for what is new', envoyB.isReady)
    await using proxied = await startProxied(partner.agent)
    const toEnvoy = { svid: 'default', bundle: 'ALL', peer: B, port: envoyB.inboundPort }
    await using envoyA = await startEnvoy({
      ...{ socket: example.agent.socket, api: 'GRPC' },
      inbound: { svid: 'default', bundle: 'ROOTCA', peer: A },
      outbound: {
        envoy: toEnvoy,
        proxy: { svid: A, bundle: PARTNER, peer: B, port: proxied.port },
        istio: { svid: 'default', bundle: 'ROOTCA', peer: A, port: 'own' },
        impostor: { ...toEnvoy, peer: 'spiffe://partner.org/other' },
        stranger: { ...toEnvoy, bundle: 'ROOTCA' },
      },
    })
    expect(await envoyA.isReady()).toBe(false)
    await giveIdentity(example.server, example.agent, '/a', ...federatesWith(PARTNER))
    await until('the Envoy that asks for all', envoyA.isReady)
    const answered = async (path: string) => (await get(envoyA.outboundPort, path)).status
    const paths = ['/envoy', '/proxy', '/istio']
    const refused = ['/impostor', '/stranger']
    for (const path of paths) {
      await until(`${path} to answer`, async () => (await answered(path)) === 200)
    }
    for (const path of refused) expect(await answered(path)).toBe(503)

    const envoys = [envoyA, envoyB]
    const before = await updatesOf(envoys)
    expect(before).toHaveLength(7) // five clusters, two listeners
    const traffic = sendTraffic(envoyA.outboundPort, paths)
    {
      await using _traffic = traffic
      await domains.rotateAuthorities()
      await until('ten rotations', async () => {
        const now = await updatesOf(envoys)
        return now.every((count, at) => count - (before[at] ?? 0) >= ROTATIONS)
      })
    }
    expect(traffic.failures).toEqual([])
    expect(traffic.served()).toBeGreaterThan(ROTATIONS * paths.length)
    for (const path of refused) expect(await answered(path)).toBe(503)
  },
)

interop(
  'an Envoy whose agent restarts keeps what it has, is told nothing twice, and hears of the next SVID',
  ['envoy', 'spire-server', 'spire-agent'],
  async () => {
    const { server, agent } = await startDomain('example.org')
    await using _server = server
    await using _agent = agent
    await giveIdentity(server, agent, '/a', '-entryID', 'a')
    const istio = { svid: 'default', bundle: 'ROOTCA', peer: A }
    const open = (api: ApiType) =>
      startEnvoy({
        ...{ socket: agent.socket, api, inbound: istio },
        outbound: { istio: { ...istio, port: 'own' } },
      })
    await using world = await open('GRPC')
    await using delta = await open('DELTA_GRPC')
    const envoys = [world, delta]
    const allAnswer = async () => {
      const answers = await Promise.all(envoys.map((one) => get(one.outboundPort, '/istio')))
      return answers.every(({ status }) => status === 200)
    }
    await until('both Envoys to answer', allAnswer)
    const before = await updatesOf(envoys)

    await agent.restart()
    for (const envoy of envoys) {
      await until('its streams to be open again', async () => {
        const sds = await envoy.stats('^cluster.sds.upstream_(cx_total|rq_active)$')
        const { 'cluster.sds.upstream_cx_total': connections = 0 } = sds
        return connections > 1 && sds['cluster.sds.upstream_rq_active'] === STREAMS
      })
    }
    expect(await updatesOf(envoys)).toEqual(before)
    expect(await allAnswer()).toBe(true)

    const entry = ['-entryID', 'a', '-parentID', agent.id, '-spiffeID', A, ...OWN_UID]
    await succeed(server, 'entry', 'update', ...entry, '-dns', 'a.example.org')
    await until('the next SVID', async () => {
      const now = await updatesOf(envoys)
      return now.every((count, at) => count > (before[at] ?? 0))
    })
    expect(await allAnswer()).toBe(true)
  },
)
