/** A stream of StreamSecrets as a value: which requests bring an answer. */
import { expect, test } from 'vitest'
import {
  answerWorld,
  hearRequest,
  isSent,
  NEW_WORLD,
  seeUpdate,
  type WorldState,
} from '../../../agent/sds/state-of-the-world.ts'
import type { DiscoveryRequest } from '../../../proto/gen/envoy/service/discovery/v3/DiscoveryRequest.ts'
import { emptyBundle } from '../../../spiffe/bundle.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'

const update = {
  identities: [],
  bundle: emptyBundle(parseTrustDomain('example.org')),
  federatedBundles: [],
}
const request = (change: Partial<DiscoveryRequest> = {}): DiscoveryRequest => ({
  version_info: '',
  node: null,
  resource_names: ['default'],
  type_url: 't',
  response_nonce: '',
  error_detail: null,
  ...change,
})
const resource = (text: string) => ({ type_url: 't', value: Buffer.from(text) })
const envoy = { id: 'e', cluster: '', metadata: null, user_agent_name: '' }

function hear(state: WorldState, change: Partial<DiscoveryRequest> = {}) {
  const heard = hearRequest(state, request(change))
  if (heard.kind === 'stale') throw new Error('the nonce is stale')
  return heard
}

/** Asked for `default`, answered with version 1 and nonce n1. */
function answered(change: Partial<DiscoveryRequest> = {}): WorldState {
  const { state } = hear(seeUpdate(NEW_WORLD, update), change)
  return answerWorld(state, [resource('a')], 'n1').state
}
const ACK = { version_info: '1', response_nonce: 'n1' }

test('the first request needs an answer, whatever nonce and version it comes with', () => {
  const heard = hear(NEW_WORLD, { response_nonce: 'old', version_info: '7' })
  expect(heard).toMatchObject({ needsAnswer: true, isRejection: false })
})

test('an answer carries the number of the update, and the type as it was asked for', () => {
  const state = seeUpdate(seeUpdate(hear(NEW_WORLD).state, update), update)
  expect(answerWorld(state, [resource('a')], 'n').response).toEqual({
    ...{ version_info: '2', nonce: 'n', type_url: 't' },
    resources: [resource('a')],
  })
})

test('a request that accepts an answer needs none', () => {
  expect(hear(answered(), ACK)).toMatchObject({ needsAnswer: false, isRejection: false })
})

test.for([
  ['the version before', '0'],
  ['no version', ''],
  ['another version', '2'],
] as const)('a request with %s refuses the answer, and needs none', ([, version_info]) => {
  const heard = hear(answered(), { ...ACK, version_info })
  expect(heard).toMatchObject({ needsAnswer: false, isRejection: true })
})

test.for([
  ['one more', ['default', 'ROOTCA'], true],
  ['others', ['ROOTCA'], true],
  ['none', [], true],
  ['one twice', ['default', 'default'], true],
  ['the same', ['default'], false],
] as const)('a request for %s than before is judged by its names', ([, names, needsAnswer]) => {
  expect(hear(answered(), { ...ACK, resource_names: [...names] }).needsAnswer).toBe(needsAnswer)
})

test('the order of names does not matter', () => {
  const state = answered({ resource_names: ['a', 'b'] })
  expect(hear(state, { ...ACK, resource_names: ['b', 'a'] }).needsAnswer).toBe(false)
})

test.for(['', 'n0', 'n2'])('refuses to hear a request with the nonce "%s"', (response_nonce) => {
  expect(hearRequest(answered(), request({ response_nonce, resource_names: ['x'] }))).toEqual({
    kind: 'stale',
    expectedNonce: 'n1',
  })
})

test('what a node said holds until it says something else', () => {
  const state = answered({ node: envoy })
  expect(hear(state, ACK).state.node).toMatchObject({ knowsValidator: true })
  const version = { major_number: 1, minor_number: 17, patch: 0 }
  const other = { ...envoy, user_agent_build_version: { version, metadata: null } }
  expect(hear(state, { ...ACK, node: other }).state.node).toMatchObject({ knowsValidator: false })
})

test('what was sent is told from what is new by its bytes', () => {
  const state = answered()
  expect(isSent(state, [resource('a')])).toBe(true)
  for (const other of [[], [resource('b')], [resource('a'), resource('a')]]) {
    expect(isSent(state, other)).toBe(false)
  }
  expect(isSent(NEW_WORLD, [])).toBe(false)
})
