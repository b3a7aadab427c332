import { expect, test } from 'vitest'
import { mesh } from '../material.ts'
import { allow, findingsOf, source, when } from './material.ts'

test.for([
  ['remoteIpBlocks', allow(source({ remoteIpBlocks: ['10.0.0.0/8'] }))],
  ['notRemoteIpBlocks', allow(source({ notRemoteIpBlocks: ['10.0.0.0/8'] }))],
  ['the condition remote.ip', allow(when('remote.ip', ['10.0.0.0/8']))],
] as const)('%s mean the direct peer while no hop is trusted', ([, policy]) => {
  const found = (trustedHops: number) =>
    findingsOf('remote-ip-without-hops', [policy], {}, { mesh: { ...mesh, trustedHops } })
  expect(found(0)).toMatchObject([{ severity: 'warning' }])
  expect(found(1)).toEqual([])
})

test('ipBlocks need no trusted hop', () => {
  const policies = [allow(source({ ipBlocks: ['10.0.0.0/8'] }))]
  expect(findingsOf('remote-ip-without-hops', policies)).toEqual([])
})

test.for(['10.1.2.3/16', '10.1.2.3/31', 'fd00::1/64'])('%s is a whole block', (block) => {
  const [finding] = findingsOf('address-host-bits', [allow(source({ ipBlocks: [block] }))])
  expect(finding?.instead).toContain(`write "${block.split('/')[0]}" for the address alone`)
})

test.for([
  '10.1.2.3',
  '10.1.2.3/32',
  '10.1.0.0/16',
  '0.0.0.0/0',
  'fd00::/64',
  '::ffff:10.1.0.0/112',
])('%s is what it looks like', (block) => {
  const policies = [allow(source({ ipBlocks: [block] }))]
  expect(findingsOf('address-host-bits', policies)).toEqual([])
})
