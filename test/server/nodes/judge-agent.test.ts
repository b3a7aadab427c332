import { expect, test } from 'vitest'
import { judgeAgent } from '../../../server/nodes/judge-agent.ts'
import type { AttestedNode } from '../../../server/nodes/node.ts'
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
