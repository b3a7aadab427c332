/** Signing goes on at another server, at once: somebody may be waiting for the answer. */
import { expect, test } from 'vitest'
import { connectServer } from '../../../agent/node/server-connection.ts'
import { signJwtWith, signX509With } from '../../../agent/node/sign-svids.ts'
import { createStanding } from '../../../agent/node/standing.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { generateKey } from '../../../spiffe/key.ts'
import { createCsr } from '../../../spiffe/x509/csr.ts'
import { TEST_NOW, testCa } from '../../fakes/ca.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { FakeServer, wireEntry } from '../../fakes/fake-server.ts'

const ca = await testCa()
const csr = createCsr({ key: await generateKey('ec-p256') })
const { signal } = new AbortController()

async function setUp() {
  const clock = new FakeClock(TEST_NOW)
  await using stack = new AsyncDisposableStack()
  const first = stack.use(await FakeServer.start(clock, { ca }))
  const second = stack.use(await FakeServer.start(clock, { ca }))
  for (const server of [first, second]) server.entries.set('a', wireEntry('a'))
  const connection = stack.use(
    connectServer({
      ...{ host: '127.0.0.1', port: first.port, trustDomain: ca.trustDomain, clock },
      others: [{ host: '127.0.0.1', port: second.port }],
      trust: { kind: 'bundle', bundle: () => ca.bundle },
    }),
  )
  const standing = createStanding()
  const deps = { connection, standing, clock }
  const opened = stack.move()
  return {
    ...{ first, second, standing, clock, connection },
    x509: () => signX509With(deps)([{ entryId: 'a', csr }], signal),
    jwt: () => signJwtWith(deps)('a', ['audience'], signal),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

const refuse = (code: 'UNAVAILABLE' | 'NOT_AUTHORIZED' | 'AGENT_BANNED') => () => {
  throw new IdentityError(code, 'no')
}

test('a server that cannot sign is left, and the same request goes to another', async () => {
  await using agent = await setUp()
  agent.first.gate = refuse('UNAVAILABLE')
  expect(await agent.x509()).toMatchObject([{ kind: 'signed' }])
  expect(await agent.jwt()).toMatch(/^ey/)
  expect([agent.first.calls, agent.second.calls]).toEqual([
    ['BatchNewX509SVID'],
    ['BatchNewX509SVID', 'NewJWTSVID'],
  ])
})

test('a server that has died is left within the same request', async () => {
  await using agent = await setUp()
  await agent.jwt()
  await agent.first.stop()
  expect(await agent.jwt()).toMatch(/^ey/)
})

test('a server that gives no answer is left after five seconds, and the same request goes to another', async () => {
  await using agent = await setUp()
  await agent.jwt() // from here on it is known that there is another one
  const asked = Promise.withResolvers<void>()
  agent.first.gate = () => {
    asked.resolve()
    return new Promise(() => {})
  }
  const signed = agent.x509()
  await asked.promise
  agent.clock.advance(5_000)
  expect(await signed).toMatchObject([{ kind: 'signed' }])
  expect(agent.second.calls).toEqual(['BatchNewX509SVID'])
})

test('when somebody else finds that the server does not answer, the request does not wait for it any longer', async () => {
  await using agent = await setUp()
  await agent.jwt()
  const asked = Promise.withResolvers<void>()
  agent.first.gate = () => {
    asked.resolve()
    return new Promise(() => {})
  }
  const signed = agent.x509()
  await asked.promise
  const silent = new IdentityError('DEADLINE_EXCEEDED', 'the server has said nothing for 9 s')
  expect(agent.connection.leave(agent.connection.lease(), silent)).toBe(true)
  expect(await signed).toMatchObject([{ kind: 'signed' }])
  expect(agent.standing.take()).toBeUndefined()
})

test('when the next one cannot sign either, that is told, and nobody asks for ever', async () => {
  await using agent = await setUp()
  agent.first.gate = refuse('UNAVAILABLE')
  agent.second.gate = refuse('UNAVAILABLE')
  await expect(agent.jwt()).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: `the server at 127.0.0.1:${agent.second.port} gave no answer: no`,
  })
  expect([agent.first.calls.length, agent.second.calls.length]).toEqual([1, 1])
})

test.for(['NOT_AUTHORIZED', 'AGENT_BANNED'] as const)(
  'a refusal by %s is not taken to another server',
  async (code) => {
    await using agent = await setUp()
    agent.first.gate = refuse(code)
    await expect(agent.jwt()).rejects.toMatchObject({ code })
    expect(agent.second.calls).toEqual([])
    expect(agent.standing.take()?.code).toBe(code === 'AGENT_BANNED' ? code : undefined)
  },
)
