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
    full.join(' '),
    'we echo DNS names in the order given, which decides the common name; SPIRE sorts its echo',
  ],
  [
    '-entryID e1 -parentID spiffe://example.org/parent -spiffeID spiffe://example.org/new',
    'an ID that is taken is said in words, not as a UNIQUE constraint of a database',
  ],
  [`${basic.join(' ')} -dns bad_name..org`, 'the label that is wrong is named, on one line'],
  [`${basic.join(' ')} -entryID`, 'no datastore-validation prefix, and the limit is said'],
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
      .replace(/after [\d.]+(µs|ms|s)/g, 'after DURATION')
      .replace(/"(kid|key_id)":\s*"[^"]*"/g, '"$1":"KEY"')
      .replace(/"(x|y)":\s*"[^"]*"/g, '"$1":"POINT"')
      .replace(/"[A-Za-z0-9+/=_-]{60,}"/g, '"DATA"')
      .replace(/"sequence_number":\s*"\d+"/g, '"sequence_number":"N"')
      .replace(/"spiffe_sequence":\s*\d+/g, '"spiffe_sequence":0')
      .replace(/Agent version {5}: \S+/g, 'Agent version     : V')
      .replace(/"agent_version":\s*"[^"]*"/g, '"agent_version":"V"')
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

async function compare(
  commands: readonly (readonly string[])[],
  runs: readonly { readonly name: string; readonly world: World; readonly by: Kind }[],
  role: 'server' | 'agent',
): Promise<void> {
  const differences: string[] = []
  for (const command of commands) {
    const seen = []
    for (const { world, by } of runs) {
      const args = command.map((word) => (word === 'AGENT' ? world.agent.id : word))
      const result = await world[role].cli(by, ...args)
      seen.push(settle(result, world.server, world.agent))
    }
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
