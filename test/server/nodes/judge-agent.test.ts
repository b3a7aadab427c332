import { describe, expect, test } from 'vitest'
import { judgeAgent } from '../../../server/nodes/judge-agent.ts'
import { type AttestedNode, RENEWED_SINCE_BACKUP } from '../../../server/nodes/node.ts'
import { idOf } from '../entries/sample-entry.ts'

const now = new Date('2030-01-01T00:00:00Z')
const later = new Date('2030-01-01T01:00:00Z')
const id = idOf('/spire/agent/x509pop/one')

const node: AttestedNode = {
  id,
  attestationType: 'x509pop',
  serialNumber: '100',
  expiresAt: later,
  newSerialNumber: '200',
  newExpiresAt: later,
  canReattest: true,
  selectors: [],
  agentVersion: '',
}
const banned = { ...node, serialNumber: '', newSerialNumber: '' }
const without = { ...node, newSerialNumber: '', newExpiresAt: undefined }

const judge = (serialNumber: string, present: AttestedNode | undefined, expiresAt = later) =>
  judgeAgent({ id, serialNumber, expiresAt }, present, now)

test('lets in the SVID in use', () => {
  expect(judge('100', node)).toEqual({ kind: 'active' })
})

test('promotes a renewed SVID when it is used first', () => {
  expect(judge('200', node)).toEqual({ kind: 'promote' })
})

test('keeps the old SVID working until the renewed one is used', () => {
  expect(judge('100', node).kind).toBe('active')
})

test('lets in an SVID in its last second', () => {
  expect(judge('100', node, now)).toEqual({ kind: 'active' })
})

test.for<[string, string, AttestedNode | undefined, Date, string, RegExp]>([
  ['an expired SVID', '100', node, new Date(now.getTime() - 1), 'AGENT_EXPIRED', /SVID is expired/],
  ['an SVID without end', '100', node, new Date(Number.NaN), 'AGENT_EXPIRED', /SVID is expired/],
  ['an agent without node', '100', undefined, later, 'AGENT_NOT_ATTESTED', /is not attested/],
  [
    'an agent with the node of another',
    '100',
    { ...node, id: idOf('/spire/agent/x509pop/two') },
    later,
    'AGENT_NOT_ATTESTED',
    /is not attested/,
  ],
  ['a banned agent', '100', banned, later, 'AGENT_BANNED', /is banned/],
  ['a banned agent with an empty serial', '', banned, later, 'AGENT_BANNED', /is banned/],
  [
    'an SVID that is neither in use nor renewed',
    '300',
    node,
    later,
    'AGENT_NOT_ACTIVE',
    /expected to have serial number "100"; has "300"/,
  ],
  ['an empty serial where nothing is renewed', '', without, later, 'AGENT_NOT_ACTIVE', /has ""/],
  ['a serial in other digits', '0100', node, later, 'AGENT_NOT_ACTIVE', /has "0100"/],
])('refuses %s', ([, serialNumber, present, expiresAt, code, message]) => {
  const judgement = judge(serialNumber, present, expiresAt)
  expect(judgement).toMatchObject({ kind: 'refused', code })
  expect(judgement.kind === 'refused' && judgement.message).toMatch(message)
})

test('names expiry before anything else, so that an agent renews instead of giving up', () => {
  expect(judge('100', banned, new Date(0))).toMatchObject({ code: 'AGENT_EXPIRED' })
})

describe('a node that was restored from a backup and cannot attest again', () => {
  const restored = { ...node, newSerialNumber: RENEWED_SINCE_BACKUP, newExpiresAt: undefined }
  const since = new Date(later.getTime() + 60_000)

  test('goes on with the SVID that the backup knows', () => {
    expect(judge('100', restored)).toEqual({ kind: 'active' })
  })
  test('goes on with an SVID that it was given since', () => {
    expect(judge('300', restored, since)).toEqual({ kind: 'adopt', from: restored })
  })
  test.each([
    ['an SVID that ends no later than the one the backup knows', '300', restored, later],
    ['an SVID without a serial', '', restored, since],
    ['a serial that says what stands in its place', RENEWED_SINCE_BACKUP, node, since],
    ['a second SVID after one was taken', '400', { ...node, newSerialNumber: '' }, since],
  ] as const)('refuses %s', (_, serial, present, expiresAt) => {
    expect(judge(serial, present, expiresAt)).toMatchObject({ code: 'AGENT_NOT_ACTIVE' })
  })
  test('stays banned', () => {
    const shutOut = { ...restored, serialNumber: '' }
    expect(judge('300', shutOut, since)).toMatchObject({ code: 'AGENT_BANNED' })
  })
})
