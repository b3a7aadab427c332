import { Metadata } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import type { AttestAgentRequest } from '../../../../proto/gen/spire/api/server/agent/v1/AttestAgentRequest.ts'
import { type AttestAgentDeps, attestAgent } from '../../../../server/api/agent/attest-agent.ts'
import { parseSpiffeId, parseTrustDomain } from '../../../../spiffe/id.ts'
import { parseSelector } from '../../../../spiffe/selector.ts'
import { createCsr } from '../../../../spiffe/x509/csr.ts'
import { testCa } from '../../../fakes/ca.ts'
import { FakeClock } from '../../../fakes/clock.ts'
import { memoryLog } from '../../../fakes/memory-log.ts'

type Nodes = AttestAgentDeps['nodes']
type Attestation = Parameters<Nodes['attest']>[0]

test('what an attestor says of a node is kept sorted and once, as SPIRE lists it', async () => {
  const ca = await testCa()
  const leaf = await ca.leaf('/spire/agent/fake/one')
  const clock = new FakeClock()
  const stored: Attestation[] = []
  const nodes: Nodes = {
    find: async () => undefined,
    async attest(attestation) {
      stored.push(attestation)
      return { kind: 'banned' }
    },
  }
  const request: AttestAgentRequest = {
    params: {
      data: { type: 'fake', payload: Buffer.from('x') },
      params: { csr: createCsr({ key: leaf.key }) },
    },
    step: 'params',
  }
  const attested = attestAgent(
    (async function* () {
      yield request
    })(),
    {
      caller: { kind: 'anonymous', ip: '127.0.0.1', port: 1 },
      method: '/spire.api.server.agent.v1.Agent/AttestAgent',
      metadata: new Metadata(),
      signal: new AbortController().signal,
    },
    async () => {},
    {
      trustDomain: parseTrustDomain('example.org'),
      attestors: new Map([
        [
          'fake',
          {
            type: 'fake',
            attest: async () => ({
              id: parseSpiffeId('spiffe://example.org/spire/agent/fake/one'),
              canReattest: true,
              selectors: ['fake:b', 'fake:a', 'fake:b', 'fake:B'].map(parseSelector),
            }),
          },
        ],
      ]),
      nodes,
      hasAgentIdSelector: true,
      issuer: {
        issueAgentX509Svid: async () => ({
          chain: leaf.chain,
          issuedAt: clock.now(),
          expiresAt: clock.now(),
          authorityId: 'a',
        }),
      },
      limit: async () => {},
      clock,
      log: memoryLog().log,
    },
  )
  // Nothing is given to a node that was banned in the meantime.
  await expect(attested).rejects.toMatchObject({ code: 'NOT_AUTHORIZED' })
  expect(stored.map(({ selectors }) => selectors)).toEqual([
    ['fake:B', 'fake:a', 'fake:b', 'spiffe_id:spiffe://example.org/spire/agent/fake/one'],
  ])
})
