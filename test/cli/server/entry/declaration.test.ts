/** Files of declared entries: what is refused, and which IDs the entries get. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseDeclaration, readOwner } from '../../../../cli/server/entry/declaration.ts'
import { parsePlain } from '../../../../cli/server/entry/plain-value.ts'
import { IdentityError } from '../../../../spiffe/error.ts'

const written = (more: object = {}) => ({
  spiffe_id: 'spiffe://example.org/w',
  parent_id: 'spiffe://example.org/p',
  selectors: [{ type: 'unix', value: 'uid:1' }],
  ...more,
})

test.for([
  ['no object', [], 'the document is a list, expected an object'],
  ['a member that means nothing', { entrys: [] }, 'entrys means nothing here'],
  [
    'a member of an entry that means nothing',
    { entries: [written({ dns: ['a'] })] },
    'entries[0].dns means nothing here',
  ],
  ['an owner with a dot', { owner: 'shop.a', entries: [] }, 'owner is "shop.a", expected 1 to 64'],
  ['an owner that is too long', { owner: 'a'.repeat(65) }, 'expected 1 to 64 letters'],
  ['an owner of the wrong type', { owner: 7 }, 'owner is 7, expected text'],
  [
    'an ID of another owner',
    { owner: 'shop', entries: [written({ entry_id: 'web' })] },
    'entries[0].entry_id is "web", expected an ID that begins with "shop.", or none',
  ],
  [
    'no selectors',
    { entries: [written({ selectors: [] })] },
    'entries[0].selectors is empty, expected at least one selector',
  ],
  [
    'the same entry twice, with its selectors in another order',
    {
      entries: [
        written({
          selectors: [
            { type: 'a', value: '1' },
            { type: 'b', value: '2' },
          ],
        }),
        written({
          selectors: [
            { type: 'b', value: '2' },
            { type: 'a', value: '1' },
          ],
          hint: 'x',
        }),
      ],
    },
    'entries[0] and entries[1] have the same SPIFFE ID, parent and selectors',
  ],
  [
    'the same ID twice',
    {
      entries: [
        written({ entry_id: 'steeple.a' }),
        written({ entry_id: 'steeple.a', spiffe_id: 'spiffe://example.org/x' }),
      ],
    },
    'entries[0] and entries[1] have the same entry ID',
  ],
  [
    'what the server alone sets',
    { entries: [written({ revision_number: 3 })] },
    'entries[0] has a revision or a time of creation, which the server alone sets',
  ],
  ['no SPIFFE ID', { entries: [written({ spiffe_id: '' })] }, 'invalid SPIFFE ID: cannot be empty'],
] as const)('refuses %s', ([, document, message]) => {
  expect(() => parseDeclaration(document)).toThrow(IdentityError)
  expect(() => parseDeclaration(document)).toThrow(message)
})

test('an entry without an ID gets one of the owner, the same for the same entry', () => {
  const idOf = (owner: string, entry: object) =>
    parseDeclaration({ owner, entries: [entry] }).entries[0]?.entry.id
  const id = idOf('shop', written())
  expect(id).toMatch(/^shop\.[0-9a-f]{32}$/)
  expect(idOf('shop', written({ hint: 'other', x509_svid_ttl: 5 }))).toBe(id)
  for (const other of [
    idOf('stall', written()),
    idOf('shop', written({ parent_id: 'spiffe://example.org/q' })),
    idOf('shop', written({ selectors: [{ type: 'unix', value: 'uid:2' }] })),
    idOf('shop', written({ spiffe_id: 'spiffe://example.org/v' })),
  ]) {
    expect(other).not.toBe(id)
  }
})

test('a file without an owner has one that nobody promised to be alone', () => {
  const { owner, isOwnerNamed } = parseDeclaration({ entries: [] })
  expect([owner, isOwnerNamed]).toEqual(['steeple', false])
  expect(parseDeclaration({ owner: 'steeple' }).isOwnerNamed).toBe(true)
})

test('an owner is never the beginning of what another owns', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      let owner: string
      try {
        owner = readOwner(text)
      } catch (error) {
        expect(error).toBeInstanceOf(IdentityError)
        return
      }
      expect(owner).toMatch(/^[\w-]+$/)
    }),
  )
})

test('YAML and JSON say the same', () => {
  const json = '{"owner": "shop", "entries": [{"hint": "a", "x509_svid_ttl": 60, "admin": true}]}'
  const yaml = 'owner: shop\nentries:\n  - hint: a\n    x509_svid_ttl: 60\n    admin: true\n'
  expect(parsePlain('a.yaml', yaml)).toEqual(JSON.parse(json))
  expect(parsePlain('a.json', json)).toEqual(JSON.parse(json))
  expect(parsePlain('standard input', yaml)).toEqual(JSON.parse(json))
  expect(parsePlain('standard input', `\n ${json}`)).toEqual(JSON.parse(json))
})

test.for([
  ['a key that is there twice', 'a.json', '{"owner":"a","Owner":"b"}', 'a.json:1:14: "Owner" is'],
  ['YAML of two documents', 'a.yaml', 'owner: a\n---\nowner: b\n', 'a.yaml:2:1: not YAML'],
  ['an alias', 'a.yml', 'owner: &x a\nentries: *x\n', 'a.yml:1:11: tags and anchors are not read'],
  ['JSON that is cut off', 'standard input', '{"owner":', 'standard input:1:10: no value'],
  ['HCL', 'entries.conf', 'owner = "a"\nentries {}\n', 'the document is string'],
] as const)('refuses %s, with its place', ([, name, text, message]) => {
  expect(() => parseDeclaration(parsePlain(name, text))).toThrow(IdentityError)
  expect(() => parseDeclaration(parsePlain(name, text))).toThrow(message)
})

test('whatever the bytes are, they are read or refused', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.json()),
      fc.constantFrom('a.json', 'a.yaml', '-'),
      (text, name) => {
        try {
          parseDeclaration(parsePlain(name, text))
        } catch (error) {
          expect(error).toBeInstanceOf(IdentityError)
        }
      },
    ),
  )
})
