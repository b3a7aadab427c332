/** Every command and every flag that SPIRE 1.15.3 has is known here, by the very name. */
import { expect, test } from 'vitest'
import { agentProgram } from '../../cli/agent-program.ts'
import type { Flag } from '../../cli/flag/flag.ts'
import { commandHelp } from '../../cli/help.ts'
import { FEATURES_VARIABLE, pathsOf, withFeatures, wordsAfter } from '../../cli/program.ts'
import { PROGRAMS as ALL_PROGRAMS } from '../../cli/programs.ts'
import { rootProgram } from '../../cli/root-program.ts'
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
  'wit mint': [...COMMON, 'keyType', 'signingAlgorithm', 'spiffeID', 'ttl', 'write'],
  'x509 mint': [...COMMON, 'dns', 'spiffeID', 'ttl', 'write'],
  healthcheck: [...SOCKET, 'shallow', 'verbose'],
  run: SERVER_RUN,
  validate: SERVER_RUN,
}

const AGENT_ADMIN = ['output', 'socketPath']
const WORKLOAD = [...COMMON, 'timeout']
const AGENT: Readonly<Record<string, readonly string[]>> = {
  'api fetch': [...WORKLOAD, 'silent', 'write'],
  'api fetch jwt': [...WORKLOAD, 'audience', 'format', 'spiffeID'],
  'api fetch x509': [...WORKLOAD, 'silent', 'write'],
  'api validate jwt': [...WORKLOAD, 'audience', 'svid'],
  'api watch': SOCKET,
  'debug getinfo': AGENT_ADMIN,
  healthcheck: [...SOCKET, 'shallow', 'verbose'],
  'logger get': AGENT_ADMIN,
  'logger reset': AGENT_ADMIN,
  'logger set': [...AGENT_ADMIN, 'level'],
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
  wit: ['mint'],
  x509: ['mint'],
}
const AGENT_WORDS: Readonly<Record<string, readonly string[]>> = {
  api: ['fetch', 'validate', 'watch'],
  'api fetch': ['jwt', 'x509'],
  'api validate': ['jwt'],
  debug: ['getinfo'],
  logger: ['get', 'reset', 'set'],
}

/** Ours alone; everything else has to be SPIRE's to the letter. */
const PLAN = [...COMMON, 'prune']
const BACKUP = ['config', 'expandEnv', 'passphraseFile']
const OWN: Readonly<Record<string, readonly string[]>> = {
  backup: [...SOCKET, ...BACKUP, 'recipient'],
  'entry apply': [...PLAN, 'dryRun'],
  'entry diff': PLAN,
  export: [...SOCKET, 'federation', 'withoutIDs'],
  import: [...SOCKET, 'dryRun', 'update'],
  'mesh status': COMMON,
  restore: [...BACKUP, 'digest', 'force', 'identity', 'verify'],
}
const ROOT: Readonly<Record<string, readonly string[]>> = {
  ...OWN,
  completion: ['program'],
  dev: ['dir', 'logLevel', 'spiffeID', 'trustDomain'],
}

const PROGRAMS = [
  { program: serverProgram, flags: { ...SERVER, ...OWN }, words: SERVER_WORDS },
  { program: agentProgram, flags: AGENT, words: AGENT_WORDS },
]

/** Programs and commands that are in no table here have their flags tested where they are made. */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {}
const OTHERS = ALL_PROGRAMS.filter((program) => program.upstream === undefined)

const ROWS = [
  ...PROGRAMS,
  { program: rootProgram, flags: ROOT },
  ...OTHERS.map((program) => ({ program, flags: ELSEWHERE })),
].flatMap(({ program, flags }) =>
  [...program.commands].flatMap(([command, { load }]) => [
    { program, command, load, names: flags[command] },
  ]),
)

const TABLED = ROWS.filter(
  ({ program, names }) => names !== undefined || program.upstream !== undefined,
)

test.for(TABLED)('$program.name $command has the flags that SPIRE has', async (row) => {
  const { flags } = await row.load()
  expect(Object.keys(flags).sort()).toEqual(row.names?.toSorted())
})

test.for(ROWS)('$program.name $command explains itself and each of its flags', async (row) => {
  const { summary, examples, flags } = await row.load()
  expect(summary).toMatch(/^[A-Z].{10,}[^.]$/)
  expect(examples.length).toBeGreaterThan(0)
  const first = row.program === rootProgram ? row.command : row.program.name
  const starts = new RegExp(`^(server )?${first}( |$)`)
  for (const example of examples) expect(example).toMatch(starts)
  for (const [name, flag] of Object.entries(flags)) {
    expect(flag.summary, name).toMatch(/^.{4,}[^.]$/)
  }
})

test.for(ROWS)(
  '$program.name $command shows what each flag is when it is left out',
  async (row) => {
    const command = await row.load()
    const help = commandHelp({ title: 'steeple', path: row.command, command }).replace(/\s+/g, ' ')
    for (const [name, flag] of Object.entries(command.flags)) {
      const value = flag.placeholder === undefined ? '' : ` <${flag.placeholder}>`
      const ending = flag.required === true ? ' (required)' : defaultOf(flag)
      expect(help, name).toContain(`-${name}${value} ${flag.summary}${ending}`)
      const { choices } = flag
      if (Array.isArray(choices)) {
        expect(
          flag.placeholder === choices.join('|') ||
            choices.every((one) => flag.summary.includes(one)),
          name,
        ).toBe(true)
      }
    }
  },
)

/** What is not empty when nobody gives it has to say so. */
function defaultOf({ initial, defaultText }: Flag<unknown>): string {
  const isEmpty =
    initial === undefined || initial === '' || initial === 0 || JSON.stringify(initial) === '[]'
  if (!isEmpty) expect(defaultText).toBeDefined()
  return defaultText === undefined ? '' : ` (default ${defaultText})`
}

test.for(PROGRAMS)('$program.name knows every command that SPIRE has', ({ program, words }) => {
  for (const [group, commands] of Object.entries(words)) {
    const known = wordsAfter(program, group.split(' '))
    expect(
      commands.filter((word) => !known.has(word)),
      group,
    ).toEqual([])
  }
})

test('a group is a path of its own', () => {
  const paths = pathsOf(serverProgram)
  for (const path of ['entry', 'entry show', 'localauthority x509', 'run']) {
    expect(paths.has(path), path).toBe(true)
  }
  expect(paths.has('show')).toBe(false)
})

test('a command of a feature is there only for those who ask for the feature by its name', () => {
  const paths = (features: string) =>
    pathsOf(withFeatures(serverProgram, { [FEATURES_VARIABLE]: features }))
  for (const features of ['', 'wit', 'WIT-SVID', 'wit-svid,other']) {
    expect(paths(features).has('wit mint'), features).toBe(false)
    expect(paths(features).has('x509 mint')).toBe(true)
  }
  for (const features of ['wit-svid', 'other wit-svid']) {
    expect(paths(features).has('wit mint'), features).toBe(true)
  }
})

test('every heading of help stands above a command', () => {
  for (const { program } of PROGRAMS) {
    const first = wordsAfter(program, [])
    expect([...program.headings.keys()].filter((word) => !first.has(word))).toEqual([])
  }
})
