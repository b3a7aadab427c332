import { expect, test } from 'vitest'
import {
  parseAgentId,
  parseMemberId,
  parseTrustDomainName,
  parseWorkloadId,
} from '../../../server/entries/member-id.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { exampleOrg } from './sample-entry.ts'

const parts = (path: string) => ({ trustDomain: 'example.org', path })

test('a member may be reserved, a workload may not, an agent must be one', () => {
  expect(parseMemberId(parts('/spire/server'), exampleOrg)).toBe(
    'spiffe://example.org/spire/server',
  )
  expect(parseAgentId(parts('/spire/agent/x'), exampleOrg)).toBe(
    'spiffe://example.org/spire/agent/x',
  )
  expect(parseWorkloadId(parts('/spirex'), exampleOrg)).toBe('spiffe://example.org/spirex')
  expect(() => parseWorkloadId(parts('/spire/server'), exampleOrg)).toThrow(/reserved namespace/)
})

test.for<[string, string]>([
  [
    '/x',
    '"spiffe://example.org/x" is not an agent in trust domain "example.org"; path is not in the agent namespace',
  ],
  [
    '/spire/agent',
    '"spiffe://example.org/spire/agent" is not an agent in trust domain "example.org"; path is not in the agent namespace',
  ],
  [
    '/spire/server',
    '"spiffe://example.org/spire/server" is not an agent in trust domain "example.org"; path is not in the agent namespace',
  ],
  ['', '"spiffe://example.org" is not an agent in trust domain "example.org"; path is empty'],
])('refuses %s as an agent', ([path, message]) => {
  expect(() => parseAgentId(parts(path), exampleOrg)).toThrow(
    new IdentityError('SPIFFE_ID_INVALID', message),
  )
})

test.for(['', 'A', 'a/b', 'a:1', 'spiffe://', 'http://a', 'spiffe://a//b', 'spiffe://A'])(
  'refuses %j as a trust domain',
  (text) => {
    expect(() => parseTrustDomainName(text)).toThrow(IdentityError)
  },
)
