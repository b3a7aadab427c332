import { Metadata } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { type AdmitDeps, admitCall } from '../../../server/listen/admit-call.ts'
import type { Caller } from '../../../server/listen/caller.ts'
import { type AttestedNode, RENEWED_SINCE_BACKUP } from '../../../server/nodes/node.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { id } from '../an-entry.ts'

const METHOD = '/spire.api.server.entry.v1.Entry/GetAuthorizedEntries'
const DENIED = `authorization denied for method ${METHOD}`
const agentId = id('/spire/agent/join_token/a')
const clock = new FakeClock()
const later = new Date(clock.now().getTime() + 60_000)

const node = (fields: Partial<AttestedNode>): AttestedNode => ({
  id: agentId,
  attestationType: 'join_token',
  serialNumber: '1',
  expiresAt: later,
  newSerialNumber: '',
  newExpiresAt: undefined,
  canReattest: false,
  selectors: [],
  agentVersion: '',
  ...fields,
})

function admit(
  presented: { serialNumber?: string; expiresAt?: Date },
  nodes: Partial<AdmitDeps['nodes']>,
  method = METHOD,
  others: { isAdmin?: boolean; isDownstream?: boolean; verifyAgain?: () => Promise<void> } = {},
) {
  const caller: Caller = {
    kind: 'peer',
    ip: '192.0.2.1',
    port: 1,
    svid: { id: agentId, serialNumber: '1', expiresAt: later, ...presented },
    verifyAgain: others.verifyAgain ?? (async () => {}),
  }
  return admitCall(
    { caller, method, metadata: new Metadata(), signal: new AbortController().signal },
    {
      standing: {
        isConfiguredAdmin: () => false,
        isAdmin: () => others.isAdmin ?? false,
        isDownstream: () => others.isDownstream ?? false,
      },
      nodes: {
        find: async () => undefined,
        promote: async () => expect.unreachable('nothing is to be promoted'),
        renew: async () => expect.unreachable('nothing is to be renewed'),
        ...nodes,
      },
      clock,
    },
  )
}

test('an agent with the SVID in use is let in', async () => {
  await admit({}, { find: async () => node({}) })
})

test.for<readonly [string, Parameters<typeof admit>[0], AttestedNode | undefined, string]>([
  ['that never attested', {}, undefined, 'AGENT_NOT_ATTESTED'],
  ['that is banned', {}, node({ serialNumber: '' }), 'AGENT_BANNED'],
  ['with another SVID than the one in use', { serialNumber: '7' }, node({}), 'AGENT_NOT_ACTIVE'],
  ['whose SVID has expired', { expiresAt: new Date(0) }, node({}), 'AGENT_EXPIRED'],
])(
  'an agent %s is refused with the reason in its code, and no more in the message',
  async ([, presented, found, code]) => {
    await expect(admit(presented, { find: async () => found })).rejects.toMatchObject({
      code,
      message: DENIED,
    })
  },
)

test('a renewed SVID is promoted before the call goes on', async () => {
  const promoted: unknown[] = []
  await admit(
    { serialNumber: '2' },
    {
      find: async () => node({ newSerialNumber: '2' }),
      promote: async (...given) => {
        promoted.push(given)
        return { kind: 'stored' }
      },
    },
  )
  expect(promoted).toEqual([[agentId, '2']])
})

test('a call whose promotion was done by another call at the same time is let in', async () => {
  const rows = [node({ newSerialNumber: '2' }), node({ serialNumber: '2' })]
  await admit(
    { serialNumber: '2' },
    { find: async () => rows.shift(), promote: async () => ({ kind: 'not-found' }) },
  )
})

test('a call is refused when its promotion came to nothing, for instance by a ban in between', async () => {
  const rows = [node({ newSerialNumber: '2' }), node({ serialNumber: '' })]
  await expect(
    admit(
      { serialNumber: '2' },
      { find: async () => rows.shift(), promote: async () => ({ kind: 'banned' }) },
    ),
  ).rejects.toMatchObject({ code: 'AGENT_NOT_ACTIVE' })
})

test('when the node cannot be read, nobody is let in', async () => {
  const find = async () => {
    throw new IdentityError('UNAVAILABLE', 'the database does not answer')
  }
  await expect(admit({}, { find })).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

test('an agent is not an administrator', async () => {
  const method = '/spire.api.server.entry.v1.Entry/ListEntries'
  await expect(admit({}, { find: async () => node({}) }, method)).rejects.toMatchObject({
    code: 'NOT_AUTHORIZED',
  })
})

test.for([
  ['an agent', METHOD, {}],
  ['an administrator', '/spire.api.server.entry.v1.Entry/BatchCreateEntry', { isAdmin: true }],
  [
    'a downstream server',
    '/spire.api.server.svid.v1.SVID/NewDownstreamX509CA',
    { isDownstream: true },
  ],
] as const)(
  '%s whose chain leads to no authority any more is refused over the connection that it has',
  async ([, method, standing]) => {
    const verifyAgain = async () => {
      throw new IdentityError('CERTIFICATE_UNTRUSTED', 'its authority was revoked')
    }
    const find = async () => node({})
    await admit({}, { find }, method, standing)
    await expect(admit({}, { find }, method, { ...standing, verifyAgain })).rejects.toMatchObject({
      code: 'CERTIFICATE_UNTRUSTED',
    })
  },
)

test('who may no longer call may still read the bundle', async () => {
  const verifyAgain = async () => expect.unreachable('nothing rests on who reads it')
  await admit({}, {}, '/spire.api.server.bundle.v1.Bundle/GetBundle', { verifyAgain })
})

test('an SVID given after the backup that the node was restored from is noted and then taken', async () => {
  const steps: unknown[] = []
  await admit(
    { serialNumber: '7', expiresAt: new Date(later.getTime() + 1_000) },
    {
      find: async () => node({ newSerialNumber: RENEWED_SINCE_BACKUP }),
      renew: async (_, serial) => ({ kind: String(steps.push(`renew ${serial}`)) }),
      promote: async (_, serial) => {
        steps.push(`promote ${serial}`)
        return { kind: 'stored' }
      },
    },
  )
  expect(steps).toEqual(['renew 7', 'promote 7'])
})

test('when another SVID was taken first, the second one is refused', async () => {
  const found = [node({ newSerialNumber: RENEWED_SINCE_BACKUP }), node({ serialNumber: '8' })]
  const late = { serialNumber: '7', expiresAt: new Date(later.getTime() + 1_000) }
  await expect(
    admit(late, {
      find: async () => found.shift(),
      renew: async () => ({ kind: 'stored' }),
      promote: async () => ({ kind: 'not-found' }),
    }),
  ).rejects.toMatchObject({ code: 'AGENT_NOT_ACTIVE', message: DENIED })
})
