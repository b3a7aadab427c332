/** The rounds that write statuses, against an API server that answers as a test says. */
import { expect, test } from 'vitest'
import { writeStatuses } from '../../../server/policy-status/write-statuses.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import { memoryLog } from '../../fakes/memory-log.ts'
import { Refused, scriptedCluster } from '../../fakes/scripted-cluster.ts'
import { mesh } from '../../proxy/mesh.ts'

const GROUP = '/apis/security.istio.io/v1'
const KINDS = ['authorizationpolicies', 'peerauthentications', 'requestauthentications']

const policy = (name: string, status: object = {}) => ({
  metadata: { name, namespace: 'shop', uid: name, resourceVersion: '1', generation: 1 },
  spec: { rules: [{ from: [{ source: { namespaces: ['shop'] } }] }] },
  status,
})

/** One round over these policies, and what was written. */
async function round(items: readonly object[]) {
  const stop = new AbortController()
  const { log, lines } = memoryLog()
  const cluster = scriptedCluster(({ method, path }) => {
    if (path === GROUP) return { resources: KINDS.map((name) => ({ name })) }
    if (method === 'GET') {
      const isOurs = path === `${GROUP}/authorizationpolicies`
      return { metadata: { resourceVersion: '1' }, items: isOurs ? items : [] }
    }
    return path.includes('/refused/') ? new Refused(500) : {}
  })
  const clock = {
    now: systemClock.now,
    // The first pause comes after the first round.
    sleep: async () => stop.abort(),
  }
  const deps = { cluster, mesh, log, clock, random: () => 0.5 }
  await writeStatuses(deps, { signal: stop.signal, mustLead: () => {} })
  const written = cluster.asked.filter(({ method }) => method === 'PATCH').map(({ path }) => path)
  return { written, lines }
}

const pathOf = (name: string) => `${GROUP}/namespaces/shop/authorizationpolicies/${name}/status`

test('a round writes each policy that says nothing yet', async () => {
  const { written } = await round([policy('a'), policy('b')])
  expect(written).toEqual([pathOf('a'), pathOf('b')])
})

test('no status that somebody wrote ends the rounds, or keeps others from being written', async () => {
  const own = { type: 'Accepted', status: 'True', reason: 'Accepted' }
  const message = 'enforced by every proxy that it selects'
  const conditions = [{ ...own, message, observedGeneration: { valueOf: 1, toString: 1 } }]
  const { written, lines } = await round([policy('a', { conditions }), policy('b')])
  expect(written).toEqual([pathOf('a'), pathOf('b')])
  expect(lines.filter(({ level }) => level === 'error')).toEqual([])
})

test('a policy whose status is refused keeps no other from being written', async () => {
  const { written, lines } = await round([policy('refused'), policy('b')])
  expect(written).toEqual([pathOf('refused'), pathOf('b')])
  expect(lines.map(({ msg }) => msg)).not.toContain('Policies cannot be judged')
})
