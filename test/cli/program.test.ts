/** Every command and every flag that SPIRE 1.15.3 has is known here, by the very name. */
import { expect, test } from 'vitest'
import { agentProgram } from '../../cli/agent-program.ts'
import { pathsOf, wordsAfter } from '../../cli/program.ts'
import { serverProgram } from '../../cli/server-program.ts'

const SOCKET = ['instance', 'socketPath']
const COMMON = [...SOCKET, 'output']
const RUN = [
  ...['config', 'dataDir', 'expandEnv', 'logFile', 'logFormat', 'logLevel', 'logSourceLocation'],
  ...['serverPort', 'socketPath', 'trustDomain'],
]
const SERVER_RUN = [...RUN, 'bindAddress']
const AGENT_RUN = [
  ...RUN,
  ...['allowUnauthenticatedVerifiers', 'disableSDSAPI', 'disableWorkloadAPI', 'insecureBootstrap'],
  ...['joinToken', 'joinTokenFile', 'rebootstrapDelay', 'rebootstrapMode', 'serverAddress'],
  ...['trustBundle', 'trustBundleFormat', 'trustBundleUrl'],
]
const AGENT_FILTER = [
  ...['attestationType', 'banned', 'canReattest', 'expiresBefore', 'matchSelectorsOn', 'selector'],
]
const ENTRY_FILTER = [
  ...['downstream', 'federatesWith', 'hint', 'matchFederatesWithOn', 'matchSelectorsOn'],
  ...['parentID', 'selector', 'spiffeID'],
]
const ENTRY = [
  ...['admin', 'data', 'disableX509SVIDPrefetch', 'dns', 'downstream', 'entryExpiry', 'entryID'],
  ...['federatesWith', 'hint', 'jwtSVIDIncludeJTI', 'jwtSVIDTTL', 'parentID', 'selector'],
  ...['spiffeID', 'storeSVID', 'x509SVIDTTL'],
]

const FEDERATION = [
  ...['bundleEndpointProfile', 'bundleEndpointURL', 'data', 'endpointSpiffeID', 'trustDomain'],
  ...['trustDomainBundleFormat', 'trustDomainBundlePath'],
]

/** Those that are not implemented yet are here as well. */
const SERVER: Readonly<Record<string, readonly string[]>> = {
  'agent ban': [...COMMON, 'spiffeID'],
  'agent count': [...COMMON, ...AGENT_FILTER],
  'agent evict': [...COMMON, 'spiffeID'],
  'agent list': [...COMMON, ...AGENT_FILTER],
  'agent purge': [...COMMON, 'dryRun', 'expiredFor'],
  'agent show': [...COMMON, 'spiffeID'],
  'bundle count': COMMON,
  'bundle delete': [...COMMON, 'id', 'mode'],
  'bundle list': [...COMMON, 'format', 'id'],
  'bundle set': [...COMMON, 'format', 'id', 'path'],
  'bundle show': [...COMMON, 'format'],
  'debug getinfo': COMMON,
  'entry count': [...COMMON, ...ENTRY_FILTER],
  'entry create': [...COMMON, ...ENTRY, 'node'],
  'entry delete': [...COMMON, 'entryID', 'file'],
  'entry show': [...COMMON, ...ENTRY_FILTER, 'entryID'],
  'entry update': [...COMMON, ...ENTRY],
  'federation create': [...COMMON, ...FEDERATION],
  'federation delete': [...COMMON, 'id'],
  'federation list': COMMON,
  'federation refresh': [...COMMON, 'id'],
  'federation show': [...COMMON, 'trustDomain'],
  'federation update': [...COMMON, ...FEDERATION],
  'jwt mint': [...COMMON, 'audience', 'spiffeID', 'ttl', 'write'],
  ...Object.fromEntries(
    ['x509', 'jwt'].flatMap((kind) => [
      [`localauthority ${kind} activate`, [...COMMON, 'authorityID']],
      [`localauthority ${kind} prepare`, COMMON],
      [`localauthority ${kind} revoke`, [...COMMON, 'authorityID']],
      [`localauthority ${kind} show`, COMMON],
      [`localauthority ${kind} taint`, [...COMMON, 'authorityID']],
    ]),
  ),
  'logger get': COMMON,
  'logger reset': COMMON,
  'logger set': [...COMMON, 'level'],
  'token generate': [...COMMON, 'spiffeID', 'ttl'],
  'upstreamauthority revoke': [...COMMON, 'subjectKeyID'],
  'upstreamauthority taint': [...COMMON, 'subjectKeyID'],
  'x509 mint': [...COMMON, 'dns', 'spiffeID', 'ttl', 'write'],
  healthcheck: [...SOCKET, 'shallow', 'verbose'],
  run: SERVER_RUN,
  validate: SERVER_RUN,
}

const WORKLOAD = [...COMMON, 'timeout']
const AGENT: Readonly<Record<string, readonly string[]>> = {
  'api fetch': [...WORKLOAD, 'silent', 'write'],
  'api fetch jwt': [...WORKLOAD, 'audience', 'format', 'spiffeID'],
  'api fetch x509': [...WORKLOAD, 'silent', 'write'],
  'api validate jwt': [...WORKLOAD, 'audience', 'svid'],
  'api watch': SOCKET,
  healthcheck: [...SOCKET, 'shallow', 'verbose'],
  run: AGENT_RUN,
  validate: AGENT_RUN,
}

const authority = ['activate', 'prepare', 'revoke', 'show', 'taint']
const SERVER_WORDS: Readonly<Record<string, readonly string[]>> = {
  agent: ['ban', 'count', 'evict', 'list', 'purge', 'show'],
  bundle: ['count', 'delete', 'list', 'set', 'show'],
  debug: ['getinfo'],
  entry: ['count', 'create', 'delete', 'show', 'update'],
  federation: ['create', 'delete', 'list', 'refresh', 'show', 'update'],
  jwt: ['mint'],
  'localauthority jwt': authority,
  'localauthority x509': authority,
  logger: ['get', 'reset', 'set'],
  token: ['generate'],
  upstreamauthority: ['revoke', 'taint'],
  x509: ['mint'],
}
const AGENT_WORDS: Readonly<Record<string, readonly string[]>> = {
  api: ['fetch', 'validate', 'watch'],
  'api fetch': ['jwt', 'x509'],
  'api validate': ['jwt'],
  debug: ['getinfo'],
  logger: ['get', 'reset', 'set'],
}

const PROGRAMS = [
  { program: serverProgram, flags: SERVER, words: SERVER_WORDS },
  { program: agentProgram, flags: AGENT, words: AGENT_WORDS },
]

const ROWS = PROGRAMS.flatMap(({ program, flags }) =>
  [...program.commands].flatMap(([command, { load }]) =>
    load === undefined ? [] : [{ program, command, load, names: flags[command] ?? [] }],
  ),
)

test.for(ROWS)('$program.name $command has the flags that SPIRE has', async (row) => {
  const { flags } = await row.load()
  expect(Object.keys(flags).sort()).toEqual(row.names.toSorted())
})

test.for(ROWS)('$program.name $command explains itself and each of its flags', async (row) => {
  const { summary, examples, flags } = await row.load()
  expect(summary).toMatch(/^[A-Z].{10,}[^.]$/)
  expect(examples.length).toBeGreaterThan(0)
  for (const example of examples) expect(example).toMatch(new RegExp(`^${row.program.name} `))
  for (const [name, flag] of Object.entries(flags)) {
    expect(flag.summary, name).toMatch(/^.{4,}[^.]$/)
  }
})

test.for(PROGRAMS)('$program.name knows every command that SPIRE has', ({ program, words }) => {
  for (const [group, commands] of Object.entries(words)) {
    const known = [...wordsAfter(program, group.split(' ')).keys()]
    expect(known.toSorted(), group).toEqual(commands)
  }
})

test('a group is a path of its own', () => {
  const paths = pathsOf(serverProgram)
  for (const path of ['entry', 'entry show', 'localauthority x509', 'run']) {
    expect(paths.has(path), path).toBe(true)
  }
  expect(paths.has('show')).toBe(false)
})

test('a group without a command that works says so, any other names those that work', () => {
  const words = wordsAfter(serverProgram, [])
  expect(words.get('wit')).toBe('mint (not implemented yet)')
  expect(words.get('entry')).toBe('create, show, update, delete, count')
  expect(wordsAfter(agentProgram, ['api']).get('fetch')).toBe(
    'Fetch X.509-SVIDs from the Workload API (also: x509, jwt)',
  )
})
