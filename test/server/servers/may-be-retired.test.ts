import { expect, test } from 'vitest'
import type { AuthorityProgress } from '../../../server/issue/progress.ts'
import { mayBeRetired } from '../../../server/servers/may-be-retired.ts'
import type { ServerOverview, ServerState } from '../../../server/servers/overview.ts'

const start = new Date('2030-01-01T00:00:00Z')
const progress = (id: string): AuthorityProgress => ({
  authority: { id, keySlot: 'A', issuedAt: start, notBefore: start, expiresAt: start },
  ...{ tainted: false, behind: [], uses: [], unknownUntil: undefined },
})

const document = {
  ...{ name: 'host', address: 'host:8081', version: '1', startedAtMs: 0, bundleSequence: 1 },
  ...{ x509: {}, jwt: {}, endsByMs: {} },
}

function server(key: string, state: ServerState): ServerOverview {
  return {
    server: { key, seenMsAgo: 20_000, document },
    ...{ state, activation: 'unknown' },
    prepared: progress(`${key}-prepared`),
    active: progress(`${key}-active`),
    old: progress(`${key}-old`),
  }
}

const overview = (...states: readonly ServerState[]) => ({
  servers: states.map((state) => server(state, state)),
  others: [progress('nobody')],
})

test('the old authority of any server that answers may go, and what is nobody’s', () => {
  const both = overview('here', 'answering')
  expect(mayBeRetired('here-old', both, [])).toBe('here')
  expect(mayBeRetired('answering-old', both, [])).toBe('other')
  expect(mayBeRetired('nobody', both, [])).toBe('other')
})

test.for(['here-active', 'here-prepared', 'answering-active', 'answering-prepared'])(
  '%s signs, or is about to, and may not go, whoever is left out',
  (id) => {
    const all = ['here', 'answering']
    expect(() => mayBeRetired(id, overview('here', 'answering'), all)).toThrow(/signs, or is about/)
  },
)

test('while a server lives and does not answer, nothing that is not proven old may go', () => {
  for (const id of ['mute-old', 'mute-active', 'nobody', 'silent-active']) {
    const refused = () => mayBeRetired(id, overview('here', 'mute', 'silent'), ['mute', 'silent'])
    expect(refused).toThrow(/server mute lives and does not answer/)
  }
})

test('a server that is silent stands against it until an operator says that it is gone', () => {
  for (const id of ['silent-active', 'silent-old', 'nobody']) {
    const refused = () => mayBeRetired(id, overview('here', 'silent'), [])
    expect(refused).toThrow(/-without silent/)
    expect(mayBeRetired(id, overview('here', 'silent'), ['silent'])).toBe('other')
  }
})

test('a server that stopped in order stands only against the loss of its own', () => {
  expect(() => mayBeRetired('stopped-active', overview('here', 'stopped'), [])).toThrow(/stopped/)
  expect(mayBeRetired('stopped-active', overview('here', 'stopped'), ['stopped'])).toBe('other')
  expect(mayBeRetired('nobody', overview('here', 'stopped'), [])).toBe('other')
})

test('a stopped server whose document cannot be read stands against the loss of anything', () => {
  const { servers, others } = overview('here', 'stopped')
  const unread = servers.map((one) => ({ ...one, server: { ...one.server, document: undefined } }))
  const refused = () => mayBeRetired('nobody', { servers: unread, others }, [])
  expect(refused).toThrow(/for all that can be read, that of server stopped/)
  expect(mayBeRetired('nobody', { servers: unread, others }, ['stopped'])).toBe('other')
})

test('what is not there is not found', () => {
  expect(() => mayBeRetired('none', overview('here'), [])).toThrow(
    expect.objectContaining({ code: 'NOT_FOUND' }),
  )
})
