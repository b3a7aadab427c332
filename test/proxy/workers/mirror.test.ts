import { expect, test } from 'vitest'
import { OWN_IDENTITY, workloadKey } from '../../../proxy/workers/messages.ts'
import { createMirror } from '../../../proxy/workers/mirror.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import { contextOf, currentCa, identityOf } from '../../fakes/svids.ts'
import { mesh, workload } from '../mesh.ts'

const ca = await currentCa('example.org')
const context = contextOf(await identityOf(ca, '/ns/shop/sa/db'), [ca.bundle])
const snapshot = {
  ...{ mesh, authorizationPolicies: [], peerAuthentications: [], requestAuthentications: [] },
}
const status = {
  ...{ source: 'test', loadedAt: systemClock.now(), objects: 0 },
  ...{ problem: undefined, warnings: [] },
}
const policies = { snapshot, status, workloads: new Map() }
const own = { kind: 'value', context } as const
const knowing = () =>
  createMirror({ identities: new Map([[OWN_IDENTITY, own]]), policies, killSwitch: undefined })

test('an identity survives the way to another thread with its key, and signs there', () => {
  const { identities } = createMirror(
    structuredClone({ identities: new Map([['own', own]]), policies, killSwitch: undefined }),
  )
  const { defaultSvid, svids, bundles } = identities.own.current()
  expect(defaultSvid).toBe(svids[0])
  expect(defaultSvid.key.equals(context.defaultSvid.key)).toBe(true)
  expect(bundles.get(mesh.trustDomain)?.x509Authorities).toHaveLength(1)
})

test('an identity that is withdrawn is none, with the reason, until there is another', () => {
  const mirror = knowing()
  let heard = 0
  mirror.identities.own.onChange(() => {
    heard += 1
  })
  mirror.tellIdentity(OWN_IDENTITY, { kind: 'none', code: 'NO_IDENTITY_ISSUED', message: 'gone' })
  expect(() => mirror.identities.own.current()).toThrow('gone')
  mirror.tellIdentity(OWN_IDENTITY, own)
  expect(mirror.identities.own.current()).toBe(context)
  expect(heard).toBe(2)
})

test('a workload that nobody told of has no identity', async () => {
  await expect(knowing().identities.of([])).rejects.toMatchObject({ code: 'NO_IDENTITY_ISSUED' })
})

test('a worker cannot be started without an identity of its own', () => {
  expect(() => createMirror({ identities: new Map(), policies, killSwitch: undefined })).toThrow(
    'no such identity',
  )
})

test('policies and what their source knows of a workload come together', () => {
  const mirror = knowing()
  expect(mirror.source.workloadNow?.(workload)).toBe(workload)
  const labelled = { ...workload, labels: { app: 'db', tier: 'gold' } }
  let heard: unknown
  mirror.source.onChange(() => {
    heard = mirror.source.workloadNow?.(workload)
  })
  const next = { ...snapshot, mesh: { ...mesh, trustedHops: 3 } }
  const workloads = new Map([[workloadKey(workload), labelled]])
  mirror.tellPolicies({ snapshot: next, status, workloads })
  expect(heard).toEqual(labelled)
  expect(mirror.source.current()).toBe(next)
})

test('a worker does not throw the emergency switch', () => {
  const { killSwitch } = knowing()
  expect(() => killSwitch.on({ durationMs: 60_000, reason: 'a', by: 'b' })).toThrow(
    'a worker does not throw the emergency switch',
  )
  expect(() => killSwitch.off('b')).toThrow()
  expect(killSwitch.state()).toBeUndefined()
})
