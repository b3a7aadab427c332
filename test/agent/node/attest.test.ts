import { expect, test } from 'vitest'
import { attestNode } from '../../../agent/node/attest.ts'
import { joinTokenAttestor } from '../../../agent/node/join-token.ts'
import type { NodeAttestor } from '../../../agent/node/node-attestor.ts'
import { connectServer } from '../../../agent/node/server-connection.ts'
import { emptyBundle } from '../../../spiffe/bundle.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { generateKey } from '../../../spiffe/key.ts'
import { TEST_NOW, testCa } from '../../fakes/ca.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { FakeServer } from '../../fakes/fake-server.ts'

const ca = await testCa()
const { trustDomain } = ca

/** Answers every challenge with the same bytes, backwards. */
const mirror: NodeAttestor = {
  type: 'mirror',
  advice: '',
  payload: async () => Buffer.from('token'),
  answer: async (challenge) => Buffer.from(challenge).reverse(),
}

async function attest(server: FakeServer, attestor: NodeAttestor, clock = new FakeClock(TEST_NOW)) {
  using connection = connectServer({
    ...{ host: '127.0.0.1', port: server.port, trustDomain, clock },
    trust: { kind: 'bundle', bundle: () => ca.bundle },
  })
  const key = await generateKey('ec-p256')
  const { signal } = new AbortController()
  return await attestNode({ lease: connection.lease(), attestor, key, trustDomain, clock, signal })
}

test('an attestor answers the server’s challenges until there is a result', async () => {
  await using server = await FakeServer.start(new FakeClock(TEST_NOW), { ca })
  server.challenges = [Buffer.from('abc'), Buffer.from('de')]
  server.reattestable = true
  const { svid } = await attest(server, mirror)
  expect(server.responses.map(String)).toEqual(['cba', 'ed'])
  expect(svid.reattestable).toBe(true)
})

test('refuses to be challenged for ever', async () => {
  await using server = await FakeServer.start(new FakeClock(TEST_NOW), { ca })
  server.challenges = Array.from({ length: 11 }, () => Buffer.from('again'))
  await expect(attest(server, mirror)).rejects.toThrow('challenged more than 10 times')
})

test('refuses a challenge of a join token, which has no answer', async () => {
  await using server = await FakeServer.start(new FakeClock(TEST_NOW), { ca })
  server.challenges = [Buffer.from('abc')]
  await expect(attest(server, joinTokenAttestor('token'))).rejects.toThrow('has no answer')
})

test.for([
  ['of another trust domain', emptyBundle(parseTrustDomain('partner.org'))],
  ['without authorities', emptyBundle(trustDomain)],
] as const)('refuses a bundle %s, before the proof is spent', async ([, bundle]) => {
  await using server = await FakeServer.start(new FakeClock(TEST_NOW), { ca })
  server.bundle = bundle
  await expect(attest(server, mirror)).rejects.toMatchObject({ code: 'BUNDLE_MALFORMED' })
  expect(server.tokens.size).toBe(1)
})

test('a server that says nothing is given up after the deadline', async () => {
  const clock = new FakeClock(TEST_NOW)
  await using server = await FakeServer.start(clock, { ca })
  const asked = Promise.withResolvers<void>()
  server.gate = (method) => {
    if (method !== 'AttestAgent') return
    asked.resolve()
    return new Promise(() => {})
  }
  const attested = attest(server, mirror, clock)
  const failed = expect(attested).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
  await asked.promise
  clock.advance(30_000)
  await failed
})
