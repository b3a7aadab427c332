import fc from 'fast-check'
import { expect, test } from 'vitest'
import { auditFields } from '../../../server/audit/audit-fields.ts'

const id = (path: string) => ({ trust_domain: 'example.org', path })

test.for([
  ['one agent', { id: id('/spire/agent/a') }, { spiffe_id: 'spiffe://example.org/spire/agent/a' }],
  ['one entry', { id: 'e1', output_mask: null }, { entry_id: 'e1' }],
  [
    'a join token to be made',
    { ttl: 600, token: 's3cret', agent_id: id('/a') },
    { ttl: 600, agent_id: 'spiffe://example.org/a' },
  ],
  [
    'entries to be made',
    {
      entries: [
        {
          id: 'e1',
          spiffe_id: id('/w'),
          parent_id: id('/n'),
          selectors: [{ type: 'unix', value: 'uid:1' }],
        },
        { id: '', spiffe_id: id('/v'), parent_id: id('/n') },
      ],
    },
    {
      entry_ids: ['e1', ''],
      spiffe_ids: ['spiffe://example.org/w', 'spiffe://example.org/v'],
      parent_ids: ['spiffe://example.org/n', 'spiffe://example.org/n'],
      count: 2,
    },
  ],
  ['entries to be removed', { ids: ['a', 'b'] }, { entry_ids: ['a', 'b'], count: 2 }],
  [
    'SVIDs to be signed',
    { params: [{ entry_id: 'a', csr: Buffer.from('csr') }] },
    { entry_ids: ['a'], count: 1 },
  ],
  ['a JWT-SVID', { entry_id: 'a', audience: ['x'] }, { entry_id: 'a', audience: ['x'] }],
  [
    'bundles to be removed',
    { trust_domains: ['a.org'], mode: 'DELETE' },
    { trust_domain_ids: ['a.org'], count: 1, mode: 'DELETE' },
  ],
  [
    'a bundle',
    { bundle: [{ trust_domain: 'a.org', x509_authorities: [{ asn1: Buffer.from('x') }] }] },
    { trust_domain_ids: ['a.org'], count: 1 },
  ],
  ['a status', { agent_version: '1.2.3' }, { agent_version: '1.2.3' }],
  ['nothing', undefined, {}],
] as const)('tells of a request about %s', ([, request, fields]) => {
  expect(auditFields(request)).toEqual(fields)
})

test('a long batch is counted, and its first fifty named', () => {
  const { entry_ids: ids, count } = auditFields({
    ids: Array.from({ length: 900 }, (_, i) => `${i}`),
  })
  expect([ids, count]).toEqual([Array.from({ length: 50 }, (_, i) => `${i}`), 900])
})

test('a long text is cut', () => {
  expect(auditFields({ agent_version: 'v'.repeat(9999) })).toEqual({
    agent_version: 'v'.repeat(256),
  })
})

test('whatever else a request has is never told', () => {
  const secret = 'never-to-be-seen'
  const names = fc
    .string()
    .filter(
      (name) =>
        !/^(id|ids|entry_id|agent_version|authority_id|mode|new_level|trust_domain|ttl|audience|trust_domains|entries|params|bundle|federation_relationships|agent_id|parent_id|spiffe_id)$/.test(
          name,
        ),
    )
  fc.assert(
    fc.property(names, (name) => {
      const told = auditFields({ [name]: secret, params: [{ [name]: secret }], ids: [{ secret }] })
      expect(JSON.stringify(told)).not.toContain(secret)
    }),
    { examples: [['valueOf'], ['constructor'], ['__proto__']] }, // names that every object has
  )
})

test('a request of any shape gives fields and no error', () => {
  fc.assert(
    fc.property(fc.object({ maxDepth: 3 }), (request) => {
      expect(auditFields(request)).toBeTypeOf('object')
    }),
  )
})
