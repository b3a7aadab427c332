/** The Broker API over real sockets: who may ask, over what, what is given, and when a stream ends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { Metadata, status } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import type { WorkloadAttestor } from '../../../agent/attest/workload-attestor.ts'
import { KUBERNETES_TYPE, PID_TYPE } from '../../../agent/broker/parse-reference.ts'
import type { CachedEntry } from '../../../agent/cache/entry.ts'
import type { APIClient } from '../../../proto/gen/spiffe/broker/API.ts'
import type { FetchJWTSVIDRequestInput } from '../../../proto/gen/spiffe/broker/FetchJWTSVIDRequest.ts'
import type { FetchJWTSVIDResponse } from '../../../proto/gen/spiffe/broker/FetchJWTSVIDResponse.ts'
import { definitionsOf, reflectionApi } from '../../../proto/load.ts'
import { emptyBundle } from '../../../spiffe/bundle.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { parseSelector } from '../../../spiffe/selector.ts'
import { brokerHeader, openBrokerEndpoint } from '../../fakes/broker-endpoint.ts'
import { cachedEntry } from '../../fakes/cached-entry.ts'
import { currentCa, VALID_NOW } from '../../fakes/svids.ts'
import { messages, next, unary } from '../../fakes/workload-endpoint.ts'

const OWN_UID = `unix:uid:${process.geteuid?.()}`
const entry = (entryId: string, change: Partial<CachedEntry> = {}) =>
  cachedEntry(entryId, { selectors: [parseSelector(OWN_UID)], ...change })

function encode(message: string, fields: object): Buffer {
  // Cast: the loader types its map by name only, and these are names of messages.
  const type = definitionsOf('broker')[`spiffe.broker.${message}`] as unknown as {
    serialize(fields: object): Buffer
  }
  return type.serialize(fields)
}
const pid = (number: number) => ({
  reference: {
    reference: { type_url: PID_TYPE, value: encode('WorkloadPIDReference', { pid: number }) },
  },
})
const OBJECT = {
  reference: {
    reference: {
      type_url: KUBERNETES_TYPE,
      value: encode('KubernetesObjectReference', {
        type: { plural: 'pods', group: 'core' },
        uid: 'u',
      }),
    },
  },
}
const SELF = pid(process.pid)

const svids = (api: APIClient, request: object = SELF, metadata = brokerHeader()) =>
  messages(api.SubscribeToX509SVID(request, metadata))
const tokens = (api: APIClient, request: FetchJWTSVIDRequestInput) =>
  unary<FetchJWTSVIDResponse>(
    (by, done) => api.FetchJWTSVID({ audience: ['x'], ...request }, by, done),
    brokerHeader(),
  )

test('a broker gets the SVIDs of a process that it names, each whole', async () => {
  await using agent = await openBrokerEndpoint()
  agent.put([entry('a', { hint: 'h' })])
  const api = agent.connect(await agent.leaf())
  const roots = Buffer.concat(agent.ca.bundle.x509Authorities.map(({ der }) => der))
  expect(await next(svids(api))).toEqual({
    svids: [
      {
        spiffe_id: 'spiffe://example.org/a',
        x509_svid: Buffer.from('leaf of a'),
        x509_svid_key: Buffer.from('key of a'),
        bundle: roots,
        hint: 'h',
      },
    ],
    crl: [],
    federated_bundles: {},
  })
  expect(await next(messages(api.SubscribeToX509Bundles(SELF, brokerHeader())))).toEqual({
    crl: [],
    bundles: { 'spiffe://example.org': roots },
  })
  const { bundles } = await next(messages(api.SubscribeToJWTBundles(SELF, brokerHeader())))
  expect(JSON.parse(String(bundles['spiffe://example.org']))).toEqual({ keys: [] })
  expect(await tokens(api, SELF)).toEqual({
    svids: [{ spiffe_id: 'spiffe://example.org/a', svid: 'token for x', hint: 'h' }],
  })
})

test('nobody but the owner and the group may open the socket', async () => {
  await using agent = await openBrokerEndpoint()
  expect(statSync(agent.socketPath).mode & 0o777).toBe(0o770)
})

test('identities of administrators and downstream servers are given to no broker', async () => {
  await using agent = await openBrokerEndpoint()
  agent.put([entry('secret', { privileged: true })])
  const api = agent.connect(await agent.leaf())
  const refused = {
    code: status.PERMISSION_DENIED,
    details: expect.stringMatching(/^no identity issued: only admin or downstream/),
  }
  await expect(svids(api).next()).rejects.toMatchObject(refused)
  await expect(tokens(api, SELF)).rejects.toMatchObject(refused)
  agent.put([entry('a')])
  expect((await next(svids(api))).svids.map(({ spiffe_id }) => spiffe_id)).toEqual([
    'spiffe://example.org/a',
  ])
  await expect(
    tokens(api, { ...SELF, spiffe_id: 'spiffe://example.org/secret' }),
  ).rejects.toMatchObject({ code: status.PERMISSION_DENIED })
})

test.for([
  ['no certificate', async () => undefined],
  ['the certificate of another workload', (agent: Agent) => agent.leaf('/other')],
  [
    'a certificate of its own making',
    async () => (await currentCa('example.org')).leaf('/broker', VALID_NOW),
  ],
  [
    'one of another trust domain',
    async () => (await currentCa('other.org')).leaf('/broker', VALID_NOW),
  ],
  [
    'one that has ended',
    (agent: Agent) => agent.ca.leaf('/broker', { notBefore: new Date(0), notAfter: new Date(1) }),
  ],
] as const)('refuses a connection that shows %s', async ([, leafOf]) => {
  await using agent = await openBrokerEndpoint()
  agent.put([entry('a')])
  for (const transport of ['unix', 'tcp'] as const) {
    const api = agent.connect(await leafOf(agent), transport)
    await expect(svids(api).next()).rejects.toMatchObject({ code: status.UNAVAILABLE })
  }
  await expect
    .poll(() => JSON.stringify(agent.lines))
    .toContain('Refused a connection to the Broker')
})

type Agent = Awaited<ReturnType<typeof openBrokerEndpoint>>

test.for([
  ['no header', new Metadata()],
  ['a header that says no', brokerHeader('false')],
  [
    'the header of another API',
    (() => {
      const metadata = new Metadata()
      metadata.set('workload.spiffe.io', 'true')
      return metadata
    })(),
  ],
] as const)('refuses a call with %s, whatever is asked', async ([, metadata]) => {
  await using agent = await openBrokerEndpoint()
  const api = agent.connect(await agent.leaf())
  await expect(svids(api, {}, metadata).next()).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: 'security header missing from request',
  })
})

test('a broker of processes on this machine names none over TCP, and no object at all', async () => {
  await using agent = await openBrokerEndpoint()
  agent.put([entry('a')])
  const leaf = await agent.leaf('/local')
  await next(svids(agent.connect(leaf)))
  await expect(svids(agent.connect(leaf, 'tcp')).next()).rejects.toMatchObject({
    code: status.PERMISSION_DENIED,
    details: `reference type "${PID_TYPE}" is not allowed over TCP for broker "spiffe://example.org/local"`,
  })
  await expect(svids(agent.connect(leaf), OBJECT).next()).rejects.toMatchObject({
    details: `broker "spiffe://example.org/local" is not allowed to use reference type "${KUBERNETES_TYPE}"`,
  })
})

test('reflection is for those on the Unix socket, and with the header', async () => {
  await using agent = await openBrokerEndpoint()
  const leaf = await agent.leaf()
  const reflect = (transport: 'unix' | 'tcp', metadata = brokerHeader()) => {
    const { ServerReflectionInfo: method } = reflectionApi().service
    const stream = agent
      .connect(leaf, transport)
      .makeBidiStreamRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        metadata,
      )
    stream.end({ list_services: '' })
    return messages(stream)
  }
  const { list_services_response: list } = await next(reflect('unix'))
  expect(JSON.stringify(list)).toContain('spiffe.broker.API')
  await expect(reflect('tcp').next()).rejects.toMatchObject({
    code: status.PERMISSION_DENIED,
    details: 'server reflection is only available over Unix sockets',
  })
  await expect(reflect('unix', new Metadata()).next()).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
  })
})

test('a stream ends when the process that was named has ended', async () => {
  await using agent = await openBrokerEndpoint()
  agent.put([entry('a')])
  const child = spawn('sleep', ['600'])
  const stream = svids(agent.connect(await agent.leaf()), pid(child.pid ?? 0))
  await next(stream)
  child.kill('SIGKILL')
  await once(child, 'exit')
  const ended = expect(stream.next()).rejects.toMatchObject({ code: status.NOT_FOUND })
  await agent.clock.sleepers(1)
  agent.clock.advance(5_000)
  await ended
})

test('a stream ends when the workload has no identity any more', async () => {
  await using agent = await openBrokerEndpoint()
  agent.put([entry('a')])
  const stream = svids(agent.connect(await agent.leaf()))
  await next(stream)
  agent.put([], ['a'])
  await expect(stream.next()).rejects.toMatchObject({ code: status.PERMISSION_DENIED })
})

test('a broker whose authority has been taken out of the bundle loses its streams and may not ask again', async () => {
  await using agent = await openBrokerEndpoint()
  agent.put([entry('a')])
  const api = agent.connect(await agent.leaf())
  const stream = svids(api)
  await next(stream)
  const other = await currentCa('example.org')
  agent.put([], [], { ...emptyBundle(other.trustDomain), ...other.bundle, sequenceNumber: 9 })
  await expect(stream.next()).rejects.toMatchObject({ code: status.UNAUTHENTICATED })
  await expect(tokens(api, SELF)).rejects.toMatchObject({ code: status.UNAUTHENTICATED })
})

test('an object is looked at by the attestors that know objects, and again while the stream is silent', async () => {
  let answer: () => readonly string[] = () => ['k8s:pod-name:p']
  const attestor: WorkloadAttestor = {
    type: 'k8s',
    attest: async () => [],
    forBrokers: {
      attestProcess: async () => [],
      attestObject: async () => answer().map(parseSelector),
    },
  }
  await using agent = await openBrokerEndpoint({ attestors: [attestor] })
  agent.put([cachedEntry('pod', { selectors: [parseSelector('k8s:pod-name:p')] })])
  const api = agent.connect(await agent.leaf(), 'tcp')
  const look = async () => {
    await agent.clock.sleepers(1)
    agent.clock.advance(30_000)
  }
  const stream = svids(api, OBJECT)
  await next(stream)
  answer = () => {
    throw new IdentityError('UNAVAILABLE', 'the API server is away')
  }
  await look() // who does not answer has not said that it is gone
  answer = () => {
    throw new IdentityError('WORKLOAD_NOT_FOUND', 'pod a/p not found')
  }
  const gone = expect(stream.next()).rejects.toMatchObject({ code: status.NOT_FOUND })
  await look()
  await gone
  answer = () => ['k8s:pod-name:p']
  const changed = svids(api, OBJECT)
  await next(changed)
  answer = () => ['k8s:pod-name:p', 'k8s:pod-label:a:b']
  const ended = expect(changed.next()).rejects.toMatchObject({ code: status.UNAVAILABLE })
  await look()
  await ended
})
