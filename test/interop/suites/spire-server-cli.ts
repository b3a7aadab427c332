/**
 * The commands of `spire-server`, by SPIRE's program and by ours, each told as one story from the creation of a thing to
 * its end: what they print is what scripts look for, and what is refused ends with exit code 1 and says why.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { toPem } from '../../../spiffe/x509/pem.ts'
import { testCa } from '../../fakes/ca.ts'
import type { Agent, Kind, Server } from '../../processes/cluster.ts'
import { type Cell, commandLines, openAgent, openServer, ours } from './cell.ts'

/** What a command has to print; for one that is to fail, with exit code 1. */
type Step = readonly [words: readonly string[], prints: RegExp, fails?: 'fails']

const MINUTE = ['-ttl', '1m']

export async function tell(cell: Cell): Promise<void> {
  await using server = await openServer(cell)
  for (const by of commandLines(cell)) {
    await using agent = await openAgent(cell, server)
    const root = join(server.dir, 'root.pem')
    writeFileSync(root, toPem('CERTIFICATE', (await testCa()).certificate))
    const stories = [
      health(),
      bundles(root),
      tokens(),
      entries(server),
      agents(agent),
      minting(server),
      federations(),
      authorities('x509'),
      authorities('jwt'),
      logger(),
    ]
    const wrong: string[] = []
    for (const step of stories.flat()) wrong.push(...(await take(server, by, step)))
    expect(wrong.join('\n')).toBe('')
    expect(existsSync(join(server.dir, 'svid.pem'))).toBe(true)
  }
}

/** @returns what is wrong with how a command went; how columns are aligned is left to the comparison of every output */
async function take(
  server: Server,
  by: Kind,
  [words, prints, fails]: Step,
): Promise<readonly string[]> {
  const { code, stdout, stderr } = await server.cli(by, ...words)
  const expected = fails === undefined ? 0 : 1
  const printed = (stdout + stderr).replace(/ +/g, ' ')
  if (code === expected && prints.test(printed)) return []
  const line = `${by}: ${words.join(' ')}: exit code ${code}, expected ${expected} and ${prints}`
  return [`${line}\n${stdout}${stderr}`]
}

const health = (): readonly Step[] => [
  [['healthcheck'], /^Server is healthy\.\n$/],
  [['healthcheck', '-verbose'], /Checking server health/],
]

function bundles(root: string): readonly Step[] {
  const pem = /^-----BEGIN CERTIFICATE-----/
  const set = ['bundle', 'set', '-id', 'spiffe://f.org', '-path', root]
  return [
    [['bundle', 'show'], pem],
    [['bundle', 'show', '-format', 'spiffe'], /"use": "x509-svid"/],
    [['bundle', 'list'], /^$/],
    [set, /^bundle set\.\n$/],
    [[...set.slice(0, 4), '-path', `${root}.missing`], /no such file/, 'fails'],
    [['bundle', 'list'], /\* spiffe:\/\/f\.org|\* f\.org/],
    [['bundle', 'list', '-id', 'spiffe://f.org'], pem],
    [['bundle', 'list', '-id', 'nobody.org'], /NotFound|not found/, 'fails'],
    [['bundle', 'count'], /^2 bundles\n$/],
    [['bundle', 'delete', '-id', 'spiffe://f.org'], /^bundle deleted\.\n$/],
    [['bundle', 'delete', '-id', 'spiffe://f.org'], /not found/, 'fails'],
    [['bundle', 'count'], /^1 bundle\n$/],
  ]
}

const tokens = (): readonly Step[] => [
  [['token', 'generate'], /^Token: \S+\n(Warning: Missing SPIFFE ID\.\n)?/],
  [['token', 'generate', '-spiffeID', 'spiffe://example.org/alias'], /^Token: \S+\n$/],
  [['token', 'generate', '-spiffeID', 'nonsense'], /./, 'fails'],
  [['token', 'generate', '-ttl', '0'], /./, 'fails'],
]

function entries(server: Server): readonly Step[] {
  const parent = 'spiffe://example.org/parent'
  const of = (name: string, ...more: readonly string[]) => [
    ...['-spiffeID', `spiffe://example.org/${name}`, '-parentID', parent],
    ...['-selector', ours, ...more],
  ]
  const create = (name: string, ...more: readonly string[]) => [
    ...['entry', 'create', '-entryID', name, ...of(name, ...more)],
  ]
  const file = join(server.dir, 'entries.json')
  const fromFile = {
    entry_id: 'three',
    spiffe_id: 'spiffe://example.org/three',
    parent_id: parent,
    selectors: [{ type: 'unix', value: 'uid:3' }],
    jwt_svid_ttl: 60,
  }
  writeFileSync(file, JSON.stringify({ entries: [fromFile] }))
  return [
    [['entry', 'count'], /^\d+ registration entr(y|ies)\n$/],
    [
      create('one', '-x509SVIDTTL', '60', '-dns', 'one.org', '-admin', '-hint', 'h'),
      /Entry ID : one\nSPIFFE ID : spiffe:\/\/example\.org\/one\nParent ID : spiffe:\/\/example\.org\/parent\nRevision : 0\nX509-SVID TTL : 60\nJWT-SVID TTL : default\nSelector : unix:uid:\d+\nDNS name : one\.org\nAdmin : true\nHint : h\n/,
    ],
    [create('one'), /AlreadyExists/, 'fails'],
    [['entry', 'create', ...of('one')], /similar entry already exists/, 'fails'],
    [create('bad', '-federatesWith', 'spiffe://nobody.org'), /nobody\.org|federated/, 'fails'],
    [['entry', 'create', '-parentID', parent, '-selector', ours], /SPIFFE ID|spiffeID/, 'fails'],
    [['entry', 'create', '-spiffeID', parent, '-parentID', parent], /selector/, 'fails'],
    [create('two', '-downstream'), /Downstream : true/],
    [['entry', 'create', '-data', file], /Entry ID : three/],
    [['entry', 'show', '-parentID', parent], /^Found 3 entries\n/],
    [['entry', 'show', '-downstream'], /^Found 1 entry\nEntry ID : two/],
    [['entry', 'show', '-entryID', 'three'], /JWT-SVID TTL : 60/],
    [['entry', 'show', '-hint', 'h'], /^Found 1 entry\nEntry ID : one/],
    [['entry', 'show', '-selector', 'unix:uid:3'], /^Found 1 entry\nEntry ID : three/],
    [['entry', 'show', '-spiffeID', 'spiffe://example.org/nobody'], /^Found 0 entries\n/],
    [['entry', 'show', '-entryID', 'nobody'], /NotFound|not found/, 'fails'],
    [['entry', 'update', '-entryID', 'one', ...of('uno')], /Revision : 1\n/],
    [['entry', 'update', '-entryID', 'nobody', ...of('uno')], /NotFound/, 'fails'],
    ...['one', 'two', 'three'].map(
      (id): Step => [
        ['entry', 'delete', '-entryID', id],
        new RegExp(`Deleted entry with ID: ${id}`),
      ],
    ),
    [['entry', 'delete', '-entryID', 'one'], /NotFound/, 'fails'],
  ]
}

const agents = ({ id }: Agent): readonly Step[] => [
  [['agent', 'count'], /^\d+ attested agents?\n$/],
  [['agent', 'list'], new RegExp(`SPIFFE ID : ${id}\nAttestation type : join_token\n`)],
  [['agent', 'list', '-attestationType', 'k8s_psat'], /^No attested agents found\n$/],
  [['agent', 'show', '-spiffeID', id], /^Found an attested agent given its SPIFFE ID\n/],
  [['agent', 'show', '-spiffeID', `${id}x`], /NotFound|not found/, 'fails'],
  [['agent', 'ban', '-spiffeID', id], /^Agent banned successfully\n$/],
  [['agent', 'list', '-banned', 'true'], /^Found 1 attested agent:?\n/],
  [['agent', 'evict', '-spiffeID', id], /^Agent evicted successfully\n$/],
  [['agent', 'evict', '-spiffeID', id], /NotFound|not found/, 'fails'],
  [['agent', 'list'], /^No attested agents found\n$/],
  [['agent', 'purge', '-dryRun'], /No agents to purge/],
]

function minting({ dir }: Server): readonly Step[] {
  const id = ['-spiffeID', 'spiffe://example.org/minted']
  return [
    [
      ['x509', 'mint', ...id, ...MINUTE],
      /^X509-SVID:\n-----BEGIN CERTIFICATE-----[\s\S]*\nPrivate key:\n/,
    ],
    [['x509', 'mint', ...id, '-write', dir], /X509-SVID written to \S+svid\.pem\n/],
    [['x509', 'mint', '-spiffeID', 'spiffe://other.org/x'], /InvalidArgument/, 'fails'],
    [['x509', 'mint'], /spiffeID/, 'fails'],
    [['jwt', 'mint', ...id, '-audience', 'a', ...MINUTE], /^ey[\w-]+\.ey[\w-]+\.[\w-]+\n/],
    [['jwt', 'mint', ...id], /audience/, 'fails'],
  ]
}

function federations(): readonly Step[] {
  const on = ['-trustDomain', 'f.org']
  const web = ['-bundleEndpointURL', 'https://f.org/b', '-bundleEndpointProfile', 'https_web']
  const shown = /Trust domain : f\.org\nBundle endpoint URL : https:\/\/f\.org\/b\n/
  return [
    [['federation', 'list'], /^Found 0 federation relationships\n/],
    [['federation', 'create', ...on, ...web], shown],
    [['federation', 'create', ...on, ...web], /Failed to create the following/, 'fails'],
    [['federation', 'create', ...on], /bundle endpoint/, 'fails'],
    [['federation', 'show', ...on], shown],
    [['federation', 'show', '-trustDomain', 'nobody.org'], /does not exist/, 'fails'],
    [['federation', 'update', ...on, ...web], shown],
    [['federation', 'refresh', '-id', 'nobody.org'], /no federation relationship/, 'fails'],
    [['federation', 'delete', '-id', 'f.org'], /federation relationship deleted\.\n/],
    [['federation', 'delete', '-id', 'f.org'], /./, 'fails'],
  ]
}

function authorities(kind: 'x509' | 'jwt'): readonly Step[] {
  const name = kind === 'x509' ? 'X.509' : 'JWT'
  const on = (verb: string) => ['localauthority', kind, verb]
  return [
    [on('show'), new RegExp(`^Active ${name} authority:\n Authority ID: \\S+\n`)],
    [on('prepare'), new RegExp(`^Prepared ${name} authority:\n Authority ID: \\S+\n`)],
    ...['activate', 'taint', 'revoke'].map(
      (verb): Step => [[...on(verb), '-authorityID', 'nobody'], /could not/, 'fails'],
    ),
    [on('activate'), /authority ID/i, 'fails'],
  ]
}

const logger = (): readonly Step[] => [
  [['logger', 'get'], /^Logger Level +: debug\nLaunch Level +: debug\n/],
  [['logger', 'set', '-level', 'warn'], /^Logger Level +: warning\nLaunch Level +: debug\n/],
  [['logger', 'set', '-level', 'nonsense'], /nonsense/, 'fails'],
  [['logger', 'reset'], /^Logger Level +: debug\nLaunch Level +: debug\n/],
]
