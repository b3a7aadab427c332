/**
 * Every command, right and wrong, three times: SPIRE's CLI at SPIRE's server, SPIRE's CLI at our server, our CLI
 * at our server. Exit code, standard output and standard error must be the same but for what differs from run
 * to run (serials, times, keys) and what is listed here with its reason.
 */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import {
  type Agent,
  type Kind,
  type Server,
  startAgent,
  startServer,
} from '../processes/cluster.ts'
import { type Result, until } from '../processes/process.ts'
import { interop } from './interop.ts'

const uid = `unix:uid:${process.getuid?.()}`
const parent = 'spiffe://example.org/parent'

const files = mkdtempSync(join(tmpdir(), 'steeple-cli-'))
const file = (name: string, content: unknown) => {
  const path = join(files, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

const entriesFile = file('entries.json', {
  entries: [
    {
      entry_id: 'from-file-1',
      spiffe_id: 'spiffe://example.org/file/1',
      parent_id: parent,
      selectors: [{ type: 'unix', value: 'uid:1' }],
      x509_svid_ttl: 300,
      jwt_svid_ttl: 60,
      hint: 'file',
      dns_names: ['file.example.org'],
    },
    {
      spiffe_id: 'spiffe://example.org/file/bad',
      parent_id: parent,
      selectors: [],
    },
  ],
})

const full = [
  ...['-entryID', 'e2', '-parentID', parent, '-spiffeID', 'spiffe://example.org/two'],
  ...[
    '-selector',
    'unix:uid:2',
    '-selector',
    'unix:gid:2',
    '-x509SVIDTTL',
    '300',
    '-jwtSVIDTTL',
    '60',
  ],
  ...['-admin', '-downstream', '-dns', 'two.example.org', '-dns', '*.two.example.org'],
  ...['-entryExpiry', '4102444800', '-hint', 'two', '-jwtSVIDIncludeJTI'],
]

const create = (...args: readonly string[]) => ['entry', 'create', ...args]
const basic = [
  '-parentID',
  parent,
  '-spiffeID',
  'spiffe://example.org/x',
  '-selector',
  'unix:uid:9',
]

/** A root of another trust domain, that no run makes anew. */
const FOREIGN_PEM = `-----BEGIN CERTIFICATE-----
MIIBnzCCAUWgAwIBAgIUGsfcNlHLLqEEodDM1I1sWi4oMVgwCgYIKoZIzj0EAwIw
DjEMMAoGA1UECgwDZmVkMB4XDTI2MTEyMTEyMjY1NVoXDTM2MTExODEyMjY1NVow
DjEMMAoGA1UECgwDZmVkMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZH/ljqdL
MQ9/TBOXL7F0+Rpz0hMOnCEaI0R78xLgWnbFxuoQnzbkJdCXA9NLToLchQ7DDUt6
t8BspDYVt1qiVKOBgDB+MB0GA1UdDgQWBBR6IGuSNylT8YedVhhQ6dVWReToDjAf
BgNVHSMEGDAWgBR6IGuSNylT8YedVhhQ6dVWReToDjAPBgNVHRMBAf8EBTADAQH/
MBsGA1UdEQQUMBKGEHNwaWZmZTovL2ZlZC5vcmcwDgYDVR0PAQH/BAQDAgEGMAoG
CCqGSM49BAMCA0gAMEUCIGvu2Y7dgqZC9NQzwiRzCaklpkF3XtW2yZQIyVk+kVVN
AiEAsvYNNxUN5XbD2zm0Rd1rRqmEyW9lJECdkV0zzB5MzqE=
-----END CERTIFICATE-----
`
const foreignPem = file('foreign.pem', FOREIGN_PEM)
const foreignJson = file('foreign.json', {
  keys: [
    {
      use: 'jwt-svid',
      kty: 'EC',
      kid: 'foreign',
      crv: 'P-256',
      x: 'Q4f3NUnSY3YwjgCaRNAvmky61tF5M9o1DaPgKvF1YXg',
      y: 'fy_QjYK7OfJvlKXYWVDiZnYg3YvSiU-iUxPrBfIdUPY',
    },
  ],
  spiffe_sequence: 7,
})
const wrongPem = file('wrong.pem', 'nonsense')
const cutJson = file('cut.json', '{"keys":[')

const setBundle = (id: string, path: string, ...more: readonly string[]) => [
  ...['bundle', 'set', '-id', id, '-path', path, ...more],
]
/** A federation over the web, unless another profile follows. */
const federate = (verb: 'create' | 'update', trustDomain: string, ...more: readonly string[]) => [
  ...['federation', verb, '-trustDomain', trustDomain],
  ...['-bundleEndpointURL', `https://${trustDomain}.invalid/bundle`],
  ...['-bundleEndpointProfile', 'https_web', ...more],
]
const SPIFFE = ['-bundleEndpointProfile', 'https_spiffe']
const federations = file('federations.json', {
  federationRelationships: [
    {
      trustDomain: 'f6.org',
      bundleEndpointURL: 'https://f6.invalid/b',
      bundleEndpointProfile: 'https_web',
      trustDomainBundle: FOREIGN_PEM,
      trustDomainBundleFormat: 'pem',
    },
    {
      trustDomain: 'f7.org',
      bundleEndpointURL: 'https://f7.invalid/b',
      bundleEndpointProfile: 'https_spiffe',
      endpointSPIFFEID: 'spiffe://f7.org/ep',
    },
  ],
})
const federationOf = (name: string, members: object) =>
  file(name, { federationRelationships: [members] })
const web = { bundleEndpointURL: 'https://f8.invalid/b', bundleEndpointProfile: 'https_web' }

/** The whole life of an authority: `KIND-ROLE` stands for the ID of the one in that role. */
const authorityCommands = (kind: 'x509' | 'jwt'): readonly (readonly string[])[] => {
  const command = (verb: string, ...more: readonly string[]) => [
    'localauthority',
    kind,
    verb,
    ...more,
  ]
  const on = (verb: string, id: string, ...more: readonly string[]) =>
    command(verb, '-authorityID', id, ...more)
  const [active, prepared, old] = [`${kind}-active`, `${kind}-prepared`, `${kind}-old`]
  return [
    command('show'),
    command('show', '-output', 'json'),
    ...['activate', 'taint', 'revoke'].flatMap((verb) => [
      command(verb),
      on(verb, 'nobody'),
      on(verb, active),
    ]),
    command('prepare'),
    command('prepare', '-output', 'json'),
    command('show'),
    on('taint', prepared),
    on('revoke', prepared),
    on('activate', prepared),
    command('show'),
    command('show', '-output', 'json'),
    on('activate', old),
    on('revoke', old),
    on('taint', old),
    on('taint', old),
    command('show'),
    on('revoke', old),
    command('prepare'),
    on('activate', prepared, '-output', 'json'),
    on('taint', old, '-output', 'json'),
    on('revoke', old, '-output', 'json'),
    command('show', '-output', 'nonsense'),
  ]
}

/** Commands in order; every run starts from an empty server with one attested agent. */
const SERVER_COMMANDS: readonly (readonly string[])[] = [
  ['healthcheck'],
  ['healthcheck', '-verbose'],
  ['healthcheck', '-shallow'],
  ['bundle', 'show'],
  ['bundle', 'show', '-format', 'spiffe'],
  ['bundle', 'show', '-format', 'nonsense'],
  ['bundle', 'show', '-output', 'json'],
  ['bundle', 'show', '-output', 'nonsense'],
  ['token', 'generate'],
  ['token', 'generate', '-ttl', '5', '-spiffeID', 'spiffe://example.org/alias'],
  ['token', 'generate', '-output', 'json'],
  ['token', 'generate', '-ttl', '0'],
  ['token', 'generate', '-spiffeID', 'not-an-id'],
  ['token', 'generate', '-spiffeID', 'spiffe://other.org/alias'],
  ['entry', 'show', '-spiffeID', 'spiffe://example.org/nobody'],
  ['entry', 'show', '-entryID', 'nobody'],
  create(
    '-entryID',
    'e1',
    '-parentID',
    parent,
    '-spiffeID',
    'spiffe://example.org/one',
    '-selector',
    uid,
  ),
  create(...full),
  create('-entryID', 'e3', ...basic, '-output', 'json'),
  create(
    '-entryID',
    'e1',
    '-parentID',
    parent,
    '-spiffeID',
    'spiffe://example.org/one',
    '-selector',
    uid,
  ),
  create(
    '-entryID',
    'e1',
    '-parentID',
    parent,
    '-spiffeID',
    'spiffe://example.org/new',
    '-selector',
    uid,
  ),
  create(
    '-entryID',
    'node',
    '-node',
    '-spiffeID',
    'spiffe://example.org/nodes',
    '-selector',
    'x:y',
  ),
  create(
    '-entryID',
    'node2',
    '-node',
    '-parentID',
    parent,
    '-spiffeID',
    'spiffe://example.org/nodes',
    '-selector',
    'x:y',
  ),
  create(),
  create('-parentID', parent, '-spiffeID', 'spiffe://example.org/x'),
  create('-spiffeID', 'spiffe://example.org/x', '-selector', 'unix:uid:1'),
  create('-parentID', parent, '-selector', 'unix:uid:1'),
  create('-parentID', parent, '-spiffeID', 'spiffe://example.org/x', '-selector', 'nocolon'),
  create('-parentID', parent, '-spiffeID', 'nope', '-selector', 'unix:uid:1'),
  create('-parentID', parent, '-spiffeID', 'spiffe://EXAMPLE.org/x', '-selector', 'unix:uid:1'),
  create('-parentID', parent, '-spiffeID', 'spiffe://example.org/x/', '-selector', 'unix:uid:1'),
  create('-parentID', parent, '-spiffeID', 'spiffe://other.org/x', '-selector', 'unix:uid:1'),
  create('-parentID', parent, '-spiffeID', 'spiffe://example.org', '-selector', 'unix:uid:1'),
  create(
    '-parentID',
    parent,
    '-spiffeID',
    'spiffe://example.org/spire/x',
    '-selector',
    'unix:uid:1',
  ),
  create(
    '-parentID',
    'spiffe://other.org/p',
    '-spiffeID',
    'spiffe://example.org/x',
    '-selector',
    'a:b',
  ),
  create(
    '-parentID',
    'spiffe://example.org',
    '-spiffeID',
    'spiffe://example.org/x',
    '-selector',
    'a:b',
  ),
  create(...basic, '-dns', 'bad_name..org'),
  create(...basic, '-dns', 'a.*.org'),
  create(...basic, '-hint', 'h'.repeat(1025)),
  create(...basic, '-x509SVIDTTL', '-1'),
  create(...basic, '-jwtSVIDTTL', '-1'),
  create(...basic, '-federatesWith', 'spiffe://unknown.org'),
  create(...basic, '-federatesWith', 'not a domain'),
  create(...basic, '-entryID', 'bad/id'),
  create(...basic, '-entryID', 'i'.repeat(256)),
  create(...basic, '-entryID', 'store', '-storeSVID', '-selector', 'other:type'),
  create('-data', entriesFile),
  create('-data', join(files, 'missing.json')),
  create('-data', file('bad.json', '{"entries": [')),
  ['entry', 'show'],
  ['entry', 'show', '-output', 'json'],
  ['entry', 'show', '-entryID', 'e2'],
  ['entry', 'show', '-entryID', 'e2', '-output', 'json'],
  ['entry', 'show', '-spiffeID', 'spiffe://example.org/one'],
  ['entry', 'show', '-parentID', parent],
  ['entry', 'show', '-parentID', 'bad'],
  ['entry', 'show', '-selector', 'unix:uid:2'],
  [
    'entry',
    'show',
    '-selector',
    'unix:uid:2',
    '-selector',
    'unix:gid:2',
    '-matchSelectorsOn',
    'exact',
  ],
  ['entry', 'show', '-selector', 'unix:uid:2', '-matchSelectorsOn', 'any'],
  ['entry', 'show', '-selector', 'unix:uid:2', '-selector', 'q:r', '-matchSelectorsOn', 'subset'],
  ['entry', 'show', '-selector', 'unix:uid:2', '-matchSelectorsOn', 'nonsense'],
  ['entry', 'show', '-downstream'],
  ['entry', 'show', '-hint', 'two'],
  ['entry', 'show', '-federatesWith', 'spiffe://unknown.org'],
  ['entry', 'show', '-entryID', 'e1', '-spiffeID', 'spiffe://example.org/one'],
  ['entry', 'count'],
  ['entry', 'count', '-downstream'],
  ['entry', 'count', '-selector', 'unix:uid:2', '-matchSelectorsOn', 'superset'],
  ['entry', 'count', '-output', 'json'],
  [
    'entry',
    'update',
    '-entryID',
    'e1',
    '-parentID',
    parent,
    '-spiffeID',
    'spiffe://example.org/uno',
    '-selector',
    uid,
  ],
  ['entry', 'update', '-entryID', 'e3', ...basic, '-hint', 'new', '-output', 'json'],
  ['entry', 'update', '-entryID', 'nobody', ...basic],
  ['entry', 'update', ...basic],
  ['entry', 'update', '-data', entriesFile],
  ['entry', 'delete', '-entryID', 'e3'],
  ['entry', 'delete', '-entryID', 'e3'],
  ['entry', 'delete', '-entryID', 'e2', '-output', 'json'],
  ['entry', 'delete', '-file', file('ids.json', { ids: ['e1', 'nobody'] })],
  ['entry', 'delete'],
  ['agent', 'list'],
  ['agent', 'list', '-output', 'json'],
  ['agent', 'list', '-attestationType', 'join_token'],
  ['agent', 'list', '-attestationType', 'k8s_psat'],
  ['agent', 'list', '-banned', 'false'],
  ['agent', 'list', '-banned', 'true'],
  ['agent', 'list', '-canReattest', 'true'],
  ['agent', 'list', '-selector', 'a:b'],
  ['agent', 'list', '-expiresBefore', '2100-01-01 00:00:00 +0000 +00'],
  ['agent', 'list', '-expiresBefore', 'whenever'],
  ['agent', 'count'],
  ['agent', 'count', '-banned', 'true'],
  ['agent', 'count', '-output', 'json'],
  ['agent', 'show', '-spiffeID', 'AGENT'],
  ['agent', 'show', '-spiffeID', 'AGENT', '-output', 'json'],
  ['agent', 'show', '-spiffeID', 'spiffe://example.org/spire/agent/join_token/nobody'],
  ['agent', 'show', '-spiffeID', 'spiffe://example.org/workload'],
  ['agent', 'show', '-spiffeID', 'nonsense'],
  ['agent', 'show'],
  ['agent', 'ban', '-spiffeID', 'spiffe://example.org/spire/agent/join_token/nobody'],
  ['agent', 'ban', '-spiffeID', 'AGENT'],
  ['agent', 'ban'],
  ['agent', 'list', '-banned', 'true'],
  ['agent', 'show', '-spiffeID', 'AGENT'],
  ['agent', 'evict', '-spiffeID', 'AGENT'],
  ['agent', 'evict', '-spiffeID', 'AGENT'],
  ['agent', 'evict'],
  ['agent', 'list'],
  ['x509', 'mint', '-spiffeID', 'spiffe://example.org/minted'],
  [
    'x509',
    'mint',
    '-spiffeID',
    'spiffe://example.org/minted',
    '-ttl',
    '10m',
    '-dns',
    'a.example.org',
    '-dns',
    'b.example.org',
  ],
  ['x509', 'mint', '-spiffeID', 'spiffe://example.org/minted', '-ttl', '100h'],
  ['x509', 'mint', '-spiffeID', 'spiffe://example.org/minted', '-output', 'json'],
  ['x509', 'mint', '-spiffeID', 'spiffe://example.org/minted', '-write', files],
  ['x509', 'mint', '-spiffeID', 'spiffe://other.org/minted'],
  ['x509', 'mint', '-spiffeID', 'spiffe://example.org/spire/server'],
  ['x509', 'mint', '-spiffeID', 'nonsense'],
  ['x509', 'mint', '-spiffeID', 'spiffe://example.org/minted', '-ttl', 'nonsense'],
  ['x509', 'mint'],
  ['jwt', 'mint', '-spiffeID', 'spiffe://example.org/minted', '-audience', 'a', '-audience', 'b'],
  ['jwt', 'mint', '-spiffeID', 'spiffe://example.org/minted', '-audience', 'a', '-ttl', '1m'],
  ['jwt', 'mint', '-spiffeID', 'spiffe://example.org/minted', '-audience', 'a', '-output', 'json'],
  [
    'jwt',
    'mint',
    '-spiffeID',
    'spiffe://example.org/minted',
    '-audience',
    'a',
    '-write',
    join(files, 'token'),
  ],
  ['jwt', 'mint', '-spiffeID', 'spiffe://example.org/minted'],
  ['jwt', 'mint', '-spiffeID', 'spiffe://other.org/minted', '-audience', 'a'],
  ['jwt', 'mint', '-audience', 'a'],
  ['bundle', 'list'],
  ['bundle', 'list', '-output', 'json'],
  ['bundle', 'list', '-id', 'f1.org'],
  ['bundle', 'set'],
  setBundle('f1.org', join(files, 'missing.pem')),
  setBundle('f1.org', wrongPem),
  setBundle('f1.org', foreignPem),
  setBundle('spiffe://f1.org', foreignPem, '-output', 'json'),
  setBundle('f1.org', foreignPem, '-format', 'nonsense'),
  setBundle('f2.org', foreignJson, '-format', 'SPIFFE'),
  setBundle('f2.org', cutJson, '-format', 'spiffe'),
  setBundle('BAD!', foreignPem),
  setBundle('BAD!', foreignJson, '-format', 'spiffe'),
  setBundle('spiffe://example.org', foreignPem),
  ['bundle', 'list'],
  ['bundle', 'list', '-format', 'spiffe'],
  ['bundle', 'list', '-format', 'nonsense'],
  ['bundle', 'list', '-output', 'json'],
  ['bundle', 'list', '-id', 'f1.org'],
  ['bundle', 'list', '-id', 'spiffe://f2.org', '-format', 'spiffe'],
  ['bundle', 'list', '-id', 'f2.org', '-output', 'json'],
  ['bundle', 'list', '-id', 'nobody.org'],
  ['bundle', 'list', '-id', 'spiffe://BAD.org'],
  ['bundle', 'count'],
  ['bundle', 'count', '-output', 'json'],
  create('-entryID', 'fed', ...basic, '-federatesWith', 'f1.org'),
  ['bundle', 'delete'],
  ['bundle', 'delete', '-id', 'nobody.org'],
  ['bundle', 'delete', '-id', 'BAD!'],
  ['bundle', 'delete', '-id', 'f1.org', '-mode', 'nonsense'],
  ['bundle', 'delete', '-id', 'example.org'],
  ['bundle', 'delete', '-id', 'f1.org'],
  ['bundle', 'delete', '-id', 'f1.org', '-output', 'json'],
  ['bundle', 'delete', '-id', 'f1.org', '-mode', 'dissociate'],
  ['bundle', 'delete', '-id', 'f2.org', '-mode', 'delete', '-output', 'json'],
  ['bundle', 'count'],
  ['federation', 'list'],
  ['federation', 'list', '-output', 'json'],
  ['federation', 'create'],
  ['federation', 'create', '-trustDomain', 'f1.org'],
  ['federation', 'create', '-trustDomain', 'f1.org', '-bundleEndpointURL', 'https://f1.invalid/b'],
  federate('create', 'f1.org', '-bundleEndpointProfile', 'nonsense'),
  federate('create', 'f1.org', ...SPIFFE),
  federate('create', 'f1.org', ...SPIFFE, '-endpointSpiffeID', 'nonsense'),
  federate('create', 'f1.org', '-bundleEndpointURL', 'http://f1.org/b'),
  federate('create', 'BAD!', '-bundleEndpointURL', 'https://f1.invalid/b'),
  federate('create', 'example.org'),
  federate('create', 'f1.org'),
  federate('create', 'f1.org'),
  federate('create', 'f2.org', ...SPIFFE, '-endpointSpiffeID', 'spiffe://f2.org/ep'),
  federate('create', 'f3.org', '-trustDomainBundlePath', foreignPem, '-output', 'json'),
  federate(
    'create',
    'f4.org',
    '-trustDomainBundlePath',
    foreignJson,
    '-trustDomainBundleFormat',
    'spiffe',
  ),
  federate('create', 'f5.org', '-trustDomainBundlePath', join(files, 'missing.pem')),
  federate('create', 'f5.org', '-trustDomainBundlePath', wrongPem),
  federate(
    'create',
    'f5.org',
    '-trustDomainBundlePath',
    cutJson,
    '-trustDomainBundleFormat',
    'nonsense',
  ),
  ['federation', 'create', '-data', federations],
  ['federation', 'create', '-data', federations, '-trustDomain', 'f8.org'],
  ['federation', 'create', '-data', join(files, 'missing.json')],
  ['federation', 'create', '-data', cutJson],
  ['federation', 'create', '-data', federationOf('fed-1.json', { trustDomain: 'f8.org' })],
  ['federation', 'create', '-data', federationOf('fed-2.json', web)],
  [
    'federation',
    'create',
    '-data',
    federationOf('fed-3.json', { ...web, trustDomain: 'f8.org', trustDomainBundle: 'x' }),
  ],
  ['federation', 'list'],
  ['federation', 'list', '-output', 'json'],
  ['federation', 'show'],
  ['federation', 'show', '-trustDomain', 'f2.org'],
  ['federation', 'show', '-trustDomain', 'f3.org', '-output', 'json'],
  ['federation', 'show', '-trustDomain', 'nobody.org'],
  ['federation', 'show', '-trustDomain', 'BAD!'],
  ['federation', 'update'],
  federate('update', 'f1.org', ...SPIFFE, '-endpointSpiffeID', 'spiffe://f1.org/ep'),
  federate('update', 'f1.org', '-output', 'json'),
  federate('update', 'nobody.org'),
  ['federation', 'update', '-data', federations],
  ['federation', 'refresh'],
  ['federation', 'refresh', '-id', 'nobody.org'],
  ['federation', 'refresh', '-id', 'BAD!'],
  ['federation', 'delete'],
  ['federation', 'delete', '-id', 'nobody.org'],
  ['federation', 'delete', '-id', 'BAD!'],
  ['federation', 'delete', '-id', 'f1.org'],
  ['federation', 'delete', '-id', 'f2.org', '-output', 'json'],
  ['federation', 'list'],
  ['upstreamauthority', 'taint'],
  ['upstreamauthority', 'taint', '-subjectKeyID', 'nobody'],
  ['upstreamauthority', 'revoke'],
  ['upstreamauthority', 'revoke', '-subjectKeyID', 'nobody'],
  ['logger', 'get'],
  ['logger', 'get', '-output', 'json'],
  ['logger', 'set'],
  ['logger', 'set', '-level', 'nonsense'],
  ['logger', 'set', '-level', 'Warning'],
  ['logger', 'set', '-level', 'trace', '-output', 'json'],
  ['logger', 'get'],
  ['logger', 'reset'],
  ['logger', 'reset', '-output', 'json'],
  ['agent', 'purge'],
  ['agent', 'purge', '-dryRun', '-output', 'json'],
  ['agent', 'purge', '-expiredFor', 'nonsense'],
  ['agent', 'purge', '-dryRun=nonsense'],
  ['debug', 'getinfo'],
  ['debug', 'getinfo', '-output', 'json'],
  ...authorityCommands('x509'),
  ...authorityCommands('jwt'),
]

const AGENT_COMMANDS: readonly (readonly string[])[] = [
  ['healthcheck'],
  ['healthcheck', '-verbose'],
  ['healthcheck', '-shallow'],
  ['api', 'fetch'],
  ['api', 'fetch', 'x509'],
  ['api', 'fetch', 'x509', '-silent'],
  ['api', 'fetch', 'x509', '-output', 'json'],
  ['api', 'fetch', 'x509', '-write', files],
  ['api', 'fetch', 'x509', '-timeout', 'nonsense'],
  ['api', 'fetch', 'jwt', '-audience', 'a'],
  ['api', 'fetch', 'jwt', '-audience', 'a', '-spiffeID', 'spiffe://example.org/one'],
  ['api', 'fetch', 'jwt', '-audience', 'a', '-spiffeID', 'spiffe://example.org/nobody'],
  ['api', 'fetch', 'jwt', '-audience', 'a', '-output', 'json'],
  ['api', 'fetch', 'jwt'],
  ['api', 'validate', 'jwt', '-audience', 'a', '-svid', 'nonsense'],
  ['api', 'validate', 'jwt', '-audience', 'a'],
  ['api', 'validate', 'jwt', '-svid', 'nonsense'],
]

/** Differences that are meant, each with its reason. Key: how the command line starts. */
const ACCEPTED = new Map<string, string>([
  [
    '-entryID e1 -parentID spiffe://example.org/parent -spiffeID spiffe://example.org/new',
    'an ID that is taken is said in words, not as a UNIQUE constraint of a database',
  ],
  [`${basic.join(' ')} -dns bad_name..org`, 'the label that is wrong is named, on one line'],
  [`${basic.join(' ')} -entryID iii`, 'the limit is said'],
  [
    `${cutJson} -format spiffe`,
    'where the JSON is wrong is said; SPIRE passes on what its library says',
  ],
  [`${cutJson} -trustDomainBundleFormat`, 'as above'],
  [
    'api validate jwt -audience a -svid nonsense',
    'the reason is in our words; code and prefix are the same',
  ],
])

const isAccepted = (line: string) => [...ACCEPTED.keys()].some((start) => line.includes(start))

/** Removes what no two runs share. JSON is compared as JSON: Go prints it with spaces of its own whim. */
function settle({ code, stdout, stderr }: Result, server: Server, agent: Agent): unknown {
  const plain = (text: string) =>
    text
      .replaceAll(agent.id, 'AGENT')
      .replaceAll(agent.id.slice('spiffe://example.org'.length), 'AGENT-PATH')
      .replaceAll(server.socket, 'SOCKET')
      .replaceAll(agent.socket, 'SOCKET')
      .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UUID')
      .replace(/-----BEGIN ([A-Z ]+)-----[^-]+-----END [A-Z ]+-----/g, 'PEM $1')
      .replace(/eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/g, 'JWT')
      .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [+-]\d{4} \w+( m=\S+)?/g, 'TIME')
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, 'TIME')
      .replace(/\b\d{20,}\b/g, 'SERIAL')
      .replace(/\b1[6-9]\d{8}\b/g, 'UNIX')
      // What our command adds when the server is ours; SPIRE's has nothing to ask.
      .replace(/^(Last refreshed|Next refresh|Last failure|Bundle ends first) *: .*\n/gm, '')
      .replace(/after [\d.]+(µs|ms|s)/g, 'after DURATION')
      .replace(/"(kid|key_id)":\s*"[^"]*"/g, '"$1":"KEY"')
      .replace(/"(x|y)":\s*"[^"]*"/g, '"$1":"POINT"')
      .replace(/"[A-Za-z0-9+/=_-]{60,}"/g, '"DATA"')
      .replace(/"sequence_number":\s*"\d+"/g, '"sequence_number":"N"')
      .replace(/"spiffe_sequence":\s*\d+/g, '"spiffe_sequence":0')
      .replace(/Agent version {5}: \S+/g, 'Agent version     : V')
      .replace(/"agent_version":\s*"[^"]*"/g, '"agent_version":"V"')
      .replace(/Authority ID: \S+/g, 'Authority ID: AUTHORITY')
      .replace(/"authority_id":\s*"[^"]*"/g, '"authority_id":"AUTHORITY"')
      .replace(/Uptime: +\S+/g, 'Uptime: DURATION')
      .replace(/"uptime":\s*\d+/g, '"uptime":0')
  const text = plain(stdout).trim()
  let out: unknown = text
  if (text.startsWith('{') || text.startsWith('[')) {
    try {
      out = JSON.parse(text)
    } catch {
      // not JSON after all: compared as text
    }
  }
  // Help after a wrong flag is ours and reads better; what is wrong is said first, in the same words.
  const err = plain(stderr).replace(/\s*Usage( of|:)[\s\S]*/, '')
  return { code, out, err: err.trim() }
}

interface World {
  readonly server: Server
  readonly agent: Agent
}

/** `AGENT`, and e.g. `x509-old`: what differs from world to world, and each has its own. */
async function resolveWord(word: string, { server, agent }: World): Promise<string> {
  if (word === 'AGENT') return agent.id
  const [, kind, role] = /^(x509|jwt)-(active|prepared|old)$/.exec(word) ?? []
  if (kind === undefined || role === undefined) return word
  const { stdout } = await server.cli('spire', 'localauthority', kind, 'show', '-output', 'json')
  const id: unknown = JSON.parse(stdout)[role]?.authority_id
  if (typeof id !== 'string') throw new Error(`there is no ${word}: ${stdout}`)
  return id
}

async function compare(
  commands: readonly (readonly string[])[],
  runs: readonly { readonly name: string; readonly world: World; readonly by: Kind }[],
  role: 'server' | 'agent',
): Promise<void> {
  const differences: string[] = []
  for (const command of commands) {
    // Side by side: what changes anything is never asked for twice in one world.
    const seen = await Promise.all(
      runs.map(async ({ world, by }) => {
        const args = await Promise.all(command.map((word) => resolveWord(word, world)))
        const result = await world[role].cli(by, ...args)
        return settle(result, world.server, world.agent)
      }),
    )
    const line = command.join(' ')
    for (const [index, got] of seen.entries()) {
      if (index === 0 || isAccepted(line)) continue
      if (JSON.stringify(got) !== JSON.stringify(seen[0])) {
        const say = (value: unknown) => JSON.stringify(value, null, 1)
        differences.push(
          `${line}\n${runs[0]?.name}: ${say(seen[0])}\n${runs[index]?.name}: ${say(got)}`,
        )
      }
    }
  }
  expect(differences.join('\n\n')).toBe('')
}

/** A server and an agent of one kind, with one registered workload when asked for. */
async function world(kind: Kind): Promise<World & AsyncDisposable> {
  const server = await startServer(kind)
  const agent = await startAgent(kind, server)
  return {
    server,
    agent,
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

interop(
  'spire-server commands print the same at both servers, and ours the same as theirs',
  ['spire-server', 'spire-agent'],
  async () => {
    await using theirs = await world('spire')
    await using ours = await world('steeple')
    await compare(
      SERVER_COMMANDS,
      [
        { name: 'spire CLI, spire server', world: theirs, by: 'spire' },
        { name: 'spire CLI, steeple server', world: ours, by: 'spire' },
      ],
      'server',
    )
  },
)

interop(
  'steeple server commands print what spire-server prints',
  ['spire-server', 'spire-agent'],
  async () => {
    await using theirs = await world('spire')
    await using ours = await world('steeple')
    await compare(
      SERVER_COMMANDS,
      [
        { name: 'spire CLI, spire server', world: theirs, by: 'spire' },
        { name: 'steeple CLI, steeple server', world: ours, by: 'steeple' },
      ],
      'server',
    )
  },
)

interop(
  'steeple agent commands print what spire-agent prints, at both agents',
  ['spire-server', 'spire-agent'],
  async () => {
    await using theirs = await world('spire')
    await using ours = await world('steeple')
    for (const { server, agent } of [theirs, ours]) {
      await server.cli(
        'spire',
        ...create(
          '-entryID',
          'e1',
          '-parentID',
          agent.id,
          '-spiffeID',
          'spiffe://example.org/one',
          '-selector',
          uid,
          '-hint',
          'h',
        ),
      )
      await until(
        'the entry to arrive',
        async () => (await agent.cli('spire', 'api', 'fetch', 'x509')).code === 0,
      )
    }
    await compare(
      AGENT_COMMANDS,
      [
        { name: 'spire CLI, spire agent', world: theirs, by: 'spire' },
        { name: 'spire CLI, steeple agent', world: ours, by: 'spire' },
        { name: 'steeple CLI, steeple agent', world: ours, by: 'steeple' },
      ],
      'agent',
    )
  },
)
