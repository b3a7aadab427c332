/** Answers as protojson; the expected lines are what spire-server 1.15.3 and spire-agent 1.15.3 print of the same messages. */
import type { MessageTypeDefinition } from '@grpc/proto-loader'
import { expect, test } from 'vitest'
import { formatJson } from '../../../cli/output/go-json.ts'
import { structToJson, toProtoJson } from '../../../cli/output/protojson.ts'
import { definitionsOf } from '../../../proto/load.ts'

type File = Parameters<typeof definitionsOf>[0]

/** As a message is after it went over the wire, every default filled in. */
function received(file: File, type: string, message: object): object {
  // Cast: the loader types its map by name only; these names are messages, which are objects.
  const { serialize, deserialize } = definitionsOf(file)[type] as MessageTypeDefinition<
    object,
    object
  >
  return deserialize(serialize(message))
}

const show = (file: File, type: string, message: object) =>
  formatJson(toProtoJson(file, type, received(file, type, message)))

test('shows every field of an entry that nobody set, but no ID and no attributes', () => {
  expect(
    show('entry', 'spire.api.server.entry.v1.ListEntriesResponse', { entries: [{ id: 'n' }] }),
  ).toBe(
    '{"entries":[{"admin":false,"created_at":"0","dns_names":[],"downstream":false,"expires_at":"0","federates_with":[],"hint":"","id":"n","jwt_svid_ttl":0,"revision_number":"0","selectors":[],"store_svid":false,"x509_svid_ttl":0}],"next_page_token":""}',
  )
})

test('shows attributes that were set to their defaults, and text as a web page may hold it', () => {
  const entry = {
    id: 'y',
    spiffe_id: { trust_domain: 'example.org', path: '/a' },
    parent_id: { trust_domain: 'example.org', path: '/p' },
    selectors: [{ type: 'x', value: 'y<&>' }],
    hint: 'h"<>',
    expires_at: 1795259827,
    additional_attributes: {},
  }
  expect(show('entry', 'spire.api.types.Entry', entry)).toBe(
    '{"additional_attributes":{"disable_x509_svid_prefetch":false,"jwt_svid_include_jti":false},"admin":false,"created_at":"0","dns_names":[],"downstream":false,"expires_at":"1795259827","federates_with":[],"hint":"h\\"\\u003c\\u003e","id":"y","jwt_svid_ttl":0,"parent_id":{"path":"/p","trust_domain":"example.org"},"revision_number":"0","selectors":[{"type":"x","value":"y\\u003c\\u0026\\u003e"}],"spiffe_id":{"path":"/a","trust_domain":"example.org"},"store_svid":false,"x509_svid_ttl":0}',
  )
})

test('shows an empty bundle with all its lists', () => {
  const bundle = { trust_domain: 'example.org', refresh_hint: 300, sequence_number: 9 }
  expect(show('bundle', 'spire.api.types.Bundle', bundle)).toBe(
    '{"jwt_authorities":[],"refresh_hint":"300","sequence_number":"9","trust_domain":"example.org","wit_authorities":[],"x509_authorities":[]}',
  )
})

test('shows bytes as base64, in lists and in maps', () => {
  const answer = {
    svids: [{ spiffe_id: 'spiffe://x/y', x509_svid: Buffer.of(0), x509_svid_key: Buffer.of(0) }],
    federated_bundles: { 'spiffe://b': Buffer.of(0xff, 0xfe), 'spiffe://a': Buffer.alloc(0) },
  }
  expect(show('workload', 'X509SVIDResponse', answer)).toBe(
    '{"crl":[],"federated_bundles":{"spiffe://a":"","spiffe://b":"//4="},"svids":[{"bundle":"","hint":"","spiffe_id":"spiffe://x/y","x509_svid":"AA==","x509_svid_key":"AA=="}]}',
  )
})

test('shows results within results', () => {
  const answer = { results: [{ id: 'a', status: { code: 5, message: 'nf' } }, { id: 'b' }] }
  expect(show('entry', 'spire.api.server.entry.v1.BatchDeleteEntryResponse', answer)).toBe(
    '{"results":[{"id":"a","status":{"code":5,"message":"nf"}},{"id":"b"}]}',
  )
})

const claims = {
  fields: {
    z: { numberValue: 1.5e21 },
    n: { nullValue: 'NULL_VALUE' },
    s: { stringValue: '<é>' },
    b: { boolValue: true },
    f: { numberValue: 1e-7 },
    o: { structValue: { fields: { k: { listValue: { values: [] } } } } },
    l: { listValue: { values: [{ stringValue: 'a' }, { nullValue: 'NULL_VALUE' }] } },
  },
}

test('shows a Struct as the JSON that it stands for', () => {
  expect(show('workload', 'ValidateJWTSVIDResponse', { spiffe_id: 'spiffe://x/y', claims })).toBe(
    '{"claims":{"b":true,"f":1e-7,"l":["a",null],"o":{"k":[]},"s":"\\u003cé\\u003e","z":1.5e+21},"spiffe_id":"spiffe://x/y"}',
  )
})

test('reads a Struct that is not there as an empty one', () => {
  expect(structToJson(null)).toEqual({})
})

test('shows every message of the services that are asked, whatever is in it', () => {
  for (const file of ['agent', 'bundle', 'entry', 'svid', 'workload'] as const) {
    for (const type of Object.keys(definitionsOf(file))) {
      if (!type.endsWith('Response')) continue
      expect(JSON.parse(show(file, type, {})), type).toBeTypeOf('object')
    }
  }
})

test('does not show a message of a type that there is not', () => {
  expect(() => toProtoJson('entry', 'spire.api.types.Nothing', {})).toThrow('no descriptor')
})
