import { describe, expect, test } from 'vitest'
import { readMeta } from '../../../kubernetes/object.ts'
import { parseClusterFederatedTrustDomainSpec } from '../../../server/controller/cluster-federated-trust-domain.ts'
import { resourceReader } from '../../../server/controller/custom-resource.ts'
import {
  type FederatedResource,
  planRelationships,
} from '../../../server/controller/desired-relationships.ts'
import type { FederationRelationship } from '../../../server/federation/relationship.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'

const own = parseTrustDomain('example.org')
const classes = { className: '', watchesClassless: false }

function resource(
  name: string,
  trustDomain: string,
  url: string,
  createdAt = '2026-01-01T00:00:00Z',
): FederatedResource {
  const object = {
    metadata: { name, uid: name, resourceVersion: '1', creationTimestamp: createdAt },
    spec: { trustDomain, bundleEndpointURL: url, bundleEndpointProfile: { type: 'https_web' } },
  }
  const meta = readMeta(object)
  const read = resourceReader(classes, (spec) => parseClusterFederatedTrustDomainSpec(spec, own))
  const copy = meta === undefined ? undefined : read(object, meta)
  if (copy === undefined) throw new Error('it was left out')
  return copy
}

const relationship = (name: string, url: string): FederationRelationship => ({
  trustDomain: parseTrustDomain(name),
  ...{ endpointUrl: url, profile: { kind: 'https_web' } },
})

type Case = readonly [
  string,
  readonly FederatedResource[],
  readonly FederationRelationship[],
  readonly string[],
  readonly string[],
  readonly string[],
]

const A = 'https://a.test/'
const cases: readonly Case[] = [
  ['nothing is left as it is', [], [], [], [], []],
  ['what is missing is created', [resource('r', 'a.test', A)], [], [], ['create a.test'], []],
  [
    'what is as declared is taken over',
    [resource('r', 'a.test', A)],
    [relationship('a.test', A)],
    [],
    ['adopt a.test'],
    [],
  ],
  [
    'what is ours and as declared stays',
    [resource('r', 'a.test', A)],
    [relationship('a.test', A)],
    ['a.test'],
    [],
    [],
  ],
  [
    'what is ours and differs is updated',
    [resource('r', 'a.test', A)],
    [relationship('a.test', `${A}x`)],
    ['a.test'],
    ['update a.test'],
    [],
  ],
  [
    'what is another’s and differs is left, and told',
    [resource('r', 'a.test', A)],
    [relationship('a.test', `${A}x`)],
    [],
    [],
    ['r'],
  ],
  [
    'what nobody declares any more goes',
    [],
    [relationship('a.test', A)],
    ['a.test'],
    ['remove a.test'],
    [],
  ],
  ['what is another’s never goes', [], [relationship('a.test', A)], [], [], []],
  [
    'of two for one trust domain the older one counts',
    [resource('new', 'a.test', `${A}x`, '2026-01-02T00:00:00Z'), resource('old', 'a.test', A)],
    [],
    [],
    ['create a.test'],
    ['new'],
  ],
  ['one that cannot be read is told', [resource('r', 'example.org', A)], [], [], [], ['r']],
]

describe('of federation', () => {
  test.for(cases)('%s', ([, resources, present, owned, steps, problems]) => {
    const planned = planRelationships(
      resources,
      new Map(present.map((one) => [one.trustDomain, one])),
      new Set(owned.map(parseTrustDomain)),
    )
    const shown = planned.steps.map((step) =>
      'spec' in step
        ? `${step.kind} ${step.spec.relationship.trustDomain}`
        : `${step.kind} ${step.trustDomain}`,
    )
    expect(shown).toEqual(steps)
    expect([...planned.problems.keys()]).toEqual(problems)
  })
})

test('resources of another class are left out, and those without one only where they are wanted', () => {
  const read = (className: string, watchesClassless: boolean, written?: string) => {
    const object = {
      metadata: { name: 'r', uid: 'u', resourceVersion: '1' },
      spec: { className: written },
    }
    const meta = readMeta(object)
    if (meta === undefined) throw new Error('it has no name')
    return resourceReader({ className, watchesClassless }, () => 1)(object, meta) !== undefined
  }
  expect(read('', false)).toBe(true)
  expect(read('', false, 'mine')).toBe(false)
  expect(read('mine', false, 'mine')).toBe(true)
  expect(read('mine', false)).toBe(false)
  expect(read('mine', true)).toBe(true)
  expect(read('mine', true, 'other')).toBe(false)
})
