import { expect, test } from 'vitest'
import { agentSvid } from '../../../agent/node/agent-svid.ts'
import { generateKey } from '../../../spiffe/key.ts'
import { testCa } from '../../fakes/ca.ts'

const ca = await testCa()
const { trustDomain } = ca
const PATH = '/spire/agent/join_token/t'

test('an agent SVID says who the agent is, from when to when, and who signed', async () => {
  const { chain, key } = await ca.leaf(PATH)
  const svid = agentSvid({ chain, key, reattestable: false, trustDomain })
  expect(svid).toMatchObject({
    id: `spiffe://example.org${PATH}`,
    notBefore: new Date('2026-01-01T00:00:00Z'),
    expiresAt: new Date('2026-01-02T00:00:00Z'),
  })
  expect(svid.authorityKeyIds).toHaveLength(1)
})

test.for([
  ['of a workload', '/workload', {}],
  ['of the server', '/spire/server', {}],
  ['with a second ID', PATH, { uriSans: ['spiffe://example.org/a', 'spiffe://example.org/b'] }],
  ['without an ID', PATH, { uriSans: [] }],
  ['of another trust domain', PATH, { uriSans: [`spiffe://partner.org${PATH}`] }],
] as const)('refuses an SVID %s', async ([, path, fields]) => {
  const { chain, key } = await ca.leaf(path, fields)
  expect(() => agentSvid({ chain, key, reattestable: false, trustDomain })).toThrow(
    expect.objectContaining({ code: 'CERTIFICATE_UNTRUSTED' }),
  )
})

test('refuses an SVID for another key, and an empty chain', async () => {
  const { chain } = await ca.leaf(PATH)
  const key = await generateKey('ec-p256')
  const parts = { key, reattestable: false, trustDomain }
  expect(() => agentSvid({ ...parts, chain })).toThrow('is not for the key of this agent')
  expect(() => agentSvid({ ...parts, chain: [] })).toThrow('has no certificate')
})
