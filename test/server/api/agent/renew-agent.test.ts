import { Metadata } from '@grpc/grpc-js'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { renewAgent } from '../../../../server/api/agent/renew-agent.ts'
import type { PeerCaller } from '../../../../server/listen/caller.ts'
import { openStore } from '../../../../server/store/sqlite/open-store.ts'
import type { Store } from '../../../../server/store/store.ts'
import { systemClock } from '../../../../spiffe/clock.ts'
import { generateKey } from '../../../../spiffe/key.ts'
import { createCsr } from '../../../../spiffe/x509/csr.ts'
import { testCa } from '../../../fakes/ca.ts'
import { memoryLog } from '../../../fakes/memory-log.ts'
import { idOf } from '../../entries/sample-entry.ts'

const id = idOf('/spire/agent/join_token/one')
const later = new Date('2030-01-01T00:00:00Z')
let store: Store

beforeEach(async () => {
  store = await openStore({ path: ':memory:', clock: systemClock })
  const node = { attestationType: 'join_token', expiresAt: later, canReattest: false }
  await store.nodes.attest({ ...node, id, serialNumber: '1', selectors: [] })
})
afterEach(() => store.close())

/** @param meanwhile done while the SVID is being signed */
async function renew(meanwhile: (cancel: () => void) => Promise<unknown>) {
  const ca = await testCa()
  const gone = new AbortController()
  const caller: PeerCaller = {
    ...{ kind: 'peer', ip: '192.0.2.1', port: 1, verifyAgain: async () => {} },
    svid: { id, serialNumber: '1', expiresAt: later },
  }
  const call = { caller, method: 'RenewAgent', metadata: new Metadata(), signal: gone.signal }
  const csr = createCsr({ key: await generateKey('ec-p256') })
  return renewAgent({ params: { csr } }, call, {
    nodes: store.nodes,
    issuer: {
      async issueAgentX509Svid() {
        await meanwhile(() => gone.abort())
        const { chain } = await ca.leaf('/spire/agent/join_token/one')
        return { chain, expiresAt: later, issuedAt: new Date(0), authorityId: '' }
      },
    },
    limit: async () => {},
    log: memoryLog().log,
  })
}
const node = async () => await store.nodes.find(id)

test('a renewed SVID is noted beside the one in use', async () => {
  await renew(async () => {})
  expect(await node()).toMatchObject({ serialNumber: '1', newExpiresAt: later })
})

test('an SVID that the agent was given by another server meanwhile is not replaced', async () => {
  const asked = renew(() =>
    store.nodes.renew({ id, serialNumber: '1', newSerialNumber: '' }, '2', later),
  )
  await expect(asked).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: 'the SVID was renewed by another call meanwhile, try again',
  })
  expect(await node()).toMatchObject({ serialNumber: '1', newSerialNumber: '2' })
})

test('nothing is noted for an agent that waits no more', async () => {
  const asked = renew(async (cancel) => cancel())
  await expect(asked).rejects.toMatchObject({ code: 'CANCELED' })
  expect(await node()).toMatchObject({ serialNumber: '1', newSerialNumber: '' })
})

test.each([
  ['was banned', () => store.nodes.ban(id), 'AGENT_BANNED'],
  ['was deleted', () => store.nodes.remove(id), 'NOT_FOUND'],
])('an agent that %s meanwhile gets nothing', async (_, meanwhile, code) => {
  await expect(renew(meanwhile)).rejects.toMatchObject({ code })
})
