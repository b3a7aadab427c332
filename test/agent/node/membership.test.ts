import { beforeAll, expect, test } from 'vitest'
import { type AgentSvid, agentSvid } from '../../../agent/node/agent-svid.ts'
import { openMembership } from '../../../agent/node/membership.ts'
import type { NodeState, NodeStateStore } from '../../../agent/node/state.ts'
import { type TestCa, testCa } from '../../fakes/ca.ts'

let ca: TestCa
let first: AgentSvid
let renewed: AgentSvid
beforeAll(async () => {
  ca = await testCa()
  const made = async () => {
    const { chain, key } = await ca.leaf('/spire/agent/join_token/t')
    return agentSvid({ chain, key, reattestable: false, trustDomain: ca.trustDomain })
  }
  first = await made()
  renewed = await made()
})

/** A disk whose writes end, one after another, when they are told to. */
function slowDisk() {
  const writes: { state: NodeState; end: (error?: Error) => void }[] = []
  const store: NodeStateStore = {
    read: () => Promise.reject(new Error('nobody reads')),
    write: (state) =>
      new Promise((resolve, reject) => {
        const end = (error?: Error) => (error === undefined ? resolve() : reject(error))
        writes.push({ state, end })
      }),
  }
  return { store, writes }
}

async function opened() {
  const { store, writes } = slowDisk()
  const opening = openMembership(store, { svid: first, bundle: ca.bundle, isNew: false })
  await expect.poll(() => writes.length).toBe(1)
  writes[0]?.end()
  return { membership: await opening, writes }
}

test('a bundle that comes while a renewed SVID is being written does not bring the old SVID back', async () => {
  const { membership, writes } = await opened()
  const adopting = membership.adopt(renewed)
  const trusting = membership.trust(ca.bundle)
  await expect.poll(() => writes.length).toBe(2)
  writes[1]?.end()
  await adopting
  await expect.poll(() => writes.length).toBe(3)
  writes[2]?.end()
  await trusting
  expect(writes.at(-1)?.state.svidChain).toEqual(renewed.chain)
})

test('a write that fails does not stand in the way of those behind it, and its SVID is not taken over', async () => {
  const { membership, writes } = await opened()
  const adopting = membership.adopt(renewed)
  const noting = membership.noteTrust(undefined)
  await expect.poll(() => writes.length).toBe(2)
  writes[1]?.end(new Error('disk full'))
  await expect(adopting).rejects.toThrow('disk full')
  await expect.poll(() => writes.length).toBe(3)
  writes[2]?.end()
  await noting
  expect(membership.svid()).toBe(first)
  expect(writes.at(-1)?.state.svidChain).toEqual(first.chain)
})

test('who has resigned has no SVID on the disk, whatever was being written before', async () => {
  const { membership, writes } = await opened()
  const trusting = membership.trust(ca.bundle)
  const resigning = membership.resign()
  await expect.poll(() => writes.length).toBe(2)
  writes[1]?.end()
  await trusting
  await expect.poll(() => writes.length).toBe(3)
  writes[2]?.end()
  await resigning
  expect(writes.at(-1)?.state.svidChain).toEqual([])
})
