import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readPolicyObject } from '../../../policy/cluster-object.ts'
import { assemblePolicies, isSameInForce } from '../../../proxy/policy-source/assemble-policies.ts'
import { keepPolicies, readKeptPolicies } from '../../../proxy/policy-source/kept-policies.ts'
import { IdentityError } from '../../../spiffe/error.ts'

function folder() {
  const dir = mkdtempSync(join(tmpdir(), 'steeple-kept-'))
  return { file: join(dir, 'kept.json'), [Symbol.dispose]: () => rmSync(dir, { recursive: true }) }
}

const codeOf = (error: unknown) => (error instanceof IdentityError ? error.code : 'a bug')

const object = (name: string, spec: object, namespace = 'shop') => {
  const metadata = { name, namespace, creationTimestamp: '2026-01-01T00:00:00Z' }
  const meta = { name, namespace, createdAt: new Date(metadata.creationTimestamp) }
  return readPolicyObject('AuthorizationPolicy', 'v1', { metadata, spec }, meta)
}

test('what was kept is what was in force, with namespaces that could not be read and those without a mistake', async () => {
  using at = folder()
  const bad = object('b', { action: 'FORBID' }, 'pay')
  const { inForce } = assemblePolicies([object('a', { rules: [{}] }), bad], undefined)
  await keepPolicies(at.file, 'here', { inForce, labels: { app: 'db' } })
  const kept = await readKeptPolicies(at.file, 'here')
  expect(kept?.labels).toEqual({ app: 'db' })
  expect(isSameInForce(kept?.inForce ?? new Map(), inForce)).toBe(true)
  expect(kept?.inForce.get('pay')).toEqual({ kind: 'unreadable' })
})

test('without a file, or with one of another set-up, nothing was kept', async () => {
  using at = folder()
  expect(await readKeptPolicies(at.file, 'here')).toBeUndefined()
  await keepPolicies(at.file, 'there', { inForce: new Map(), labels: undefined })
  expect(await readKeptPolicies(at.file, 'here')).toBeUndefined()
})

test.each([
  ['a policy that nobody would read any more', '{"spec":{"action":"FORBID"}}'],
  ['a policy that is no JSON', '{'],
  ['nothing', ''],
])(
  '%s in it makes the whole file worthless: the start waits for the API server',
  async (_, text) => {
    using at = folder()
    const entry = { kind: 'AuthorizationPolicy', namespace: 'shop', name: 'a', createdMs: 0, text }
    const file = { scope: 'here', labels: null, unreadable: [], objects: [entry] }
    writeFileSync(at.file, JSON.stringify(file))
    expect(await readKeptPolicies(at.file, 'here').catch(codeOf)).toBeUndefined()
  },
)

test('property: whatever the file holds, it is read, worthless, or said to be damaged', async () => {
  using at = folder()
  const some = fc.record(
    {
      scope: fc.constant('here'),
      labels: fc.oneof(fc.constant(null), fc.jsonValue()),
      unreadable: fc.oneof(fc.array(fc.string()), fc.jsonValue()),
      objects: fc.oneof(
        fc.jsonValue(),
        fc.array(
          fc.record({
            kind: fc.constantFrom('AuthorizationPolicy', 'PeerAuthentication', 'Other'),
            namespace: fc.string(),
            name: fc.string(),
            createdMs: fc.integer(),
            text: fc.oneof(fc.string(), fc.json()),
          }),
        ),
      ),
    },
    { requiredKeys: ['scope'] },
  )
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        some.map((one) => JSON.stringify(one)),
        fc.string(),
      ),
      async (text) => {
        writeFileSync(at.file, text)
        const read = await readKeptPolicies(at.file, 'here').catch(codeOf)
        if (typeof read === 'string') expect(read).toBe('CONFIG_INVALID')
        if (typeof read === 'string' || read === undefined) return
        for (const one of read.inForce.values()) {
          if (one.kind === 'good')
            expect(one.objects.every((each: { read: unknown }) => each.read)).toBe(true)
        }
      },
    ),
  )
})
