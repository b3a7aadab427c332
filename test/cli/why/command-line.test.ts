import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EMPTY_ENTRY } from '../../../cli/server/entry/entry-flags.ts'
import { commandLine } from '../../../cli/why/command-line.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'
import { selector } from '../../../spiffe/selector.ts'

const parentId = parseSpiffeId('spiffe://example.org/spire/agent/a')
const id = parseSpiffeId('spiffe://example.org/web')
const create = (...values: readonly string[]) =>
  commandLine(
    { kind: 'create', parentId, id, selectors: values.map((value) => selector('unix', value)) },
    new Map(),
  ) ?? ''

test('registers the process for the agent', () => {
  expect(create('uid:0', 'gid:0')).toBe(
    'steeple server entry create -parentID spiffe://example.org/spire/agent/a -spiffeID spiffe://example.org/web -selector unix:uid:0 -selector unix:gid:0',
  )
})

test('evicts an agent', () => {
  expect(commandLine({ kind: 'evict', agentId: parentId }, new Map())).toBe(
    'steeple server agent evict -spiffeID spiffe://example.org/spire/agent/a',
  )
})

test('an update leaves nothing of the entry out but its end', () => {
  const entry = {
    ...EMPTY_ENTRY,
    id: 'e1',
    spiffe_id: { trust_domain: 'example.org', path: '/web' },
    parent_id: { trust_domain: 'example.org', path: '/spire/agent/a' },
    selectors: [{ type: 'unix', value: 'user:a b' }],
    x509_svid_ttl: 60,
    jwt_svid_ttl: 30,
    federates_with: ['other.org'],
    dns_names: ['web.example.org'],
    hint: 'h',
    admin: true,
    downstream: true,
    store_svid: true,
    expires_at: 5,
    additional_attributes: { disable_x509_svid_prefetch: true, jwt_svid_include_jti: true },
  }
  expect(commandLine({ kind: 'prolong', entryId: 'e1' }, new Map([['e1', entry]]))).toBe(
    "steeple server entry update -entryID e1 -parentID spiffe://example.org/spire/agent/a -spiffeID spiffe://example.org/web -selector 'unix:user:a b' -federatesWith other.org -dns web.example.org -x509SVIDTTL 60 -jwtSVIDTTL 30 -hint h -admin -downstream -storeSVID -disableX509SVIDPrefetch -jwtSVIDIncludeJTI",
  )
})

test('no command for an entry that is not at hand', () => {
  expect(commandLine({ kind: 'prolong', entryId: 'e1' }, new Map())).toBeUndefined()
})

/** The words that a shell makes of a command line. */
const wordsOf = (line: string) =>
  execFileSync('sh', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1)

test('a process chooses its own name: whatever it is, a shell reads one word and runs nothing', () => {
  const hostile = [
    '$(touch /tmp/x)',
    '`id`',
    "it's",
    'a;b',
    '-x',
    'a\nb',
    '"',
    '\\',
    '*',
    '~',
    'é',
    '&&',
    '#',
  ]
  const values = [...hostile, ...fc.sample(fc.string({ minLength: 1 }), 30)].filter(
    (one) => !one.includes('\0'),
  )
  const words = wordsOf(create(...values))
  expect(words.filter((word) => word.startsWith('unix:'))).toEqual(
    values.map((one) => `unix:${one}`),
  )
  expect(words).toHaveLength(8 + 2 * values.length)
})
