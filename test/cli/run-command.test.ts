/** Help, usage and exit codes; the codes and the first lines are those of SPIRE 1.15.3. */
import { expect, test } from 'vitest'
import { FEATURES_VARIABLE, type Program, pathsOf } from '../../cli/program.ts'
import { PROGRAMS } from '../../cli/programs.ts'
import { rootProgram } from '../../cli/root-program.ts'
import { readVersion } from '../../cli/version.ts'
import { beforeUsage, run } from './run.ts'

test.for([
  ['--help', 'Usage: steeple <command> [flags]'],
  ['-h', 'Usage: steeple <command> [flags]'],
  ['help', 'Usage: steeple <command> [flags]'],
  ['server --help', 'Usage: steeple server <command> [flags]'],
  ['agent -h', 'Usage: steeple agent <command> [flags]'],
  ['server entry -help', 'Usage: steeple server entry <command> [flags]'],
  ['server entry show -h', 'Usage: steeple server entry show [flags]'],
  ['server entry show -nonsense -h', 'Usage: steeple server entry show [flags]'],
  ['server -socketPath=x entry show -h', 'Usage: steeple server entry show [flags]'],
  ['agent api fetch -h', 'Usage: steeple agent api fetch [flags]'],
  ['dev -h', 'Usage: steeple dev [flags]'],
  ['entry -h', 'Usage: steeple entry <command> [flags]'],
  ['entry apply -h', 'Usage: steeple entry apply [flags] <file>'],
  ['entry diff x.json -h', 'Usage: steeple entry diff [flags] <file>'],
] as const)('"steeple %s" prints help and nothing else', async ([line, first]) => {
  const { code, out, err } = await run(line)
  expect([code, err, out.split('\n')[0]]).toEqual([0, '', first])
})

test('help of a command shows its flags with their defaults, and an example', async () => {
  const { out } = await run('server token generate -h')
  expect(out).toBe(`Usage: steeple server token generate [flags]

Make a join token that admits one agent, once

Flags:
  -instance <string>     name of this server, where a machine has several
  -output <pretty|json>  form of the output (default pretty)
  -socketPath <path>     Unix socket of the server (default /tmp/spire-server/private/api.sock)
  -spiffeID <string>     further SPIFFE ID for the agent, to be used as parent of entries
  -ttl <int>             how long the token may be used, in seconds (default 600)

Environment:
  SPIRE_SERVER_PRIVATE_SOCKET           instead of the default of -socketPath
  SPIRE_SERVER_PRIVATE_SOCKET_TEMPLATE  path of the socket, with %i for -instance

Example:
  steeple server token generate -spiffeID spiffe://example.org/node/one -ttl 3600
`)
})

test.for(['--version', '-version', '-v', 'version'])(
  '"steeple %s" prints the version',
  async (line) => {
    expect(await run(line)).toEqual({ code: 0, out: `${readVersion()}\n`, err: '' })
    expect(readVersion()).toMatch(/^\d+\.\d+\.\d+/)
  },
)

test.for(['server -version', 'agent --version', 'server -v entry show'])(
  '"steeple %s" prints the version where SPIRE prints it, on standard error',
  async (line) => {
    expect(await run(line)).toEqual({ code: 0, out: '', err: `${readVersion()}\n` })
  },
)

test.for([
  ['', 127, 'Usage: steeple <command> [flags]'],
  ['server', 127, 'Usage: steeple server <command> [flags]'],
  ['sever', 127, 'steeple has no command "sever", did you mean "steeple server"?'],
  ['zzzzzz', 127, 'steeple has no command "zzzzzz"'],
  [
    'federation show',
    127,
    'steeple has no command "federation", did you mean "steeple server federation"?',
  ],
  [
    'bundle show',
    1,
    'steeple bundle has no command "show", did you mean "steeple server bundle show"?',
  ],
  [
    'entry show',
    1,
    'steeple entry has no command "show", did you mean "steeple server entry show"?',
  ],
  ['entry', 1, 'Usage: steeple entry <command> [flags]'],
  ['entry aply', 1, 'steeple entry has no command "aply", did you mean "apply"?'],
  ['server bundl', 127, 'steeple server has no command "bundl", did you mean "bundle"?'],
  ['server -socketPath x entry show', 127, 'steeple server has no command "x"'],
  ['server -- entry show', 127, 'Usage: steeple server <command> [flags]'],
  ['server entry', 1, 'Usage: steeple server entry <command> [flags]'],
  ['server entry -spiffeID x', 1, 'Usage: steeple server entry <command> [flags]'],
  ['server entry shov', 1, 'steeple server entry has no command "shov", did you mean "show"?'],
  [
    'agent api fetch x508',
    1,
    'steeple agent api fetch has no command "x508", did you mean "x509"?',
  ],
  ['server -nonsense entry show', 1, '-nonsense stands before the command, flags go after it'],
  [
    'server wit mint',
    127,
    'steeple server has no command "wit" unless SPIRE_SERVER_FFLAGS names the feature wit-svid',
  ],
] as const)('"steeple %s" ends with %i', async ([line, code, first]) => {
  const ran = await run(line)
  expect([ran.code, ran.out, ran.err.split('\n')[0]]).toEqual([code, '', first])
})

test.for([
  ['server entry show -nonsense', 'flag provided but not defined: -nonsense'],
  [
    'server entry show -spifeID x',
    'flag provided but not defined: -spifeID\nDid you mean -spiffeID?',
  ],
  ['server healthcheck -output json', 'flag provided but not defined: -output'],
  ['server bundle show ---x', 'bad flag syntax: ---x'],
  ['server bundle show -=x', 'bad flag syntax: -=x'],
  ['server bundle show -format', 'flag needs an argument: -format'],
  [
    'server entry show -downstream=maybe',
    'invalid boolean value "maybe" for -downstream: parse error',
  ],
  [
    'server entry create -x509SVIDTTL abc',
    'invalid value "abc" for flag -x509SVIDTTL: parse error',
  ],
  [
    'server entry create -entryExpiry 99999999999999999999',
    'invalid value "99999999999999999999" for flag -entryExpiry: value out of range',
  ],
  [
    'server bundle show -output nonsense',
    'invalid value "nonsense" for flag -output: bad formatter flag: unknown format option: "nonsense"',
  ],
  [
    'server bundle show -output=json -output=pretty',
    'invalid value "pretty" for flag -output: the output format has already been set to "json"',
  ],
  ['server x509 mint -ttl nonsense', 'invalid value "nonsense" for flag -ttl: parse error'],
  [
    'agent api fetch x509 -timeout nonsense',
    'invalid value "nonsense" for flag -timeout: time: invalid duration "nonsense"',
  ],
  ['server run -serverPort x', 'invalid value "x" for flag -serverPort: parse error'],
  ['entry diff', 'expected <file>, got nothing'],
  ['entry apply a.json b.json', 'expected <file>, got "a.json" "b.json"'],
  ['entry apply a.json -- -prune', 'expected <file>, got "a.json" "-prune"'],
  ['entry apply a.json -prun', 'flag provided but not defined: -prun\nDid you mean -prune?'],
] as const)('"steeple %s" tells the first mistake, then how it is used', async ([line, said]) => {
  const ran = await run(line)
  expect([ran.code, ran.out, beforeUsage(ran)]).toEqual([1, '', said])
})

test('tells a wrong value before an unknown flag that comes after it', async () => {
  const said = beforeUsage(await run('server token generate -ttl x -nonsense'))
  expect(said).toBe('invalid value "x" for flag -ttl: parse error')
})

test('warns of words that it ignores, as SPIRE ignores them', async () => {
  const { err } = await run('server entry count word -socketPath /elsewhere')
  expect(err).toContain(
    'Warning: "word" and all that follows are ignored, flags begin with a dash\n',
  )
  expect(err).not.toContain('/elsewhere')
})

test.for([
  [
    'server bundle show -socketPath /nonexistent/api.sock',
    'Error: rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix ///nonexistent/api.sock: connect: no such file or directory"',
  ],
  [
    'server entry show -socketPath relative/api.sock',
    'Error: error fetching entries: rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix relative/api.sock: connect: no such file or directory"',
  ],
  [
    'server healthcheck -socketPath /nonexistent/api.sock',
    'Error: server is unhealthy: unable to determine health',
  ],
  [
    'agent api fetch -socketPath /nonexistent/api.sock',
    'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /nonexistent/api.sock: connect: no such file or directory"',
  ],
  [
    'agent api fetch jwt -audience a -socketPath /nonexistent/api.sock',
    'failed to receive JWT bundles: rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /nonexistent/api.sock: connect: no such file or directory"',
  ],
  [
    'agent healthcheck -socketPath /nonexistent/api.sock',
    'Agent is unhealthy: unable to determine health',
  ],
] as const)('"steeple %s" says that nobody is there', async ([line, first]) => {
  const ran = await run(line)
  expect([ran.code, ran.out, ran.err.split('\n')[0]]).toEqual([1, '', first])
})

test('a word that several programs have is asked back with each of them', async () => {
  const { code, err } = await run('run')
  expect(code).toBe(127)
  expect(err).toMatch(
    /^steeple has no command "run", did you mean "steeple server run" or "steeple agent run"/,
  )
})

test('every command and every group prints help with exit code 0, and nothing beside', async () => {
  const env = { [FEATURES_VARIABLE]: 'wit-svid' }
  const pathsIn = (program: Program) =>
    [...pathsOf(program)].map((path) => `${program.name} ${path}`.trim())
  const paths = [...PROGRAMS, rootProgram].flatMap(pathsIn)
  expect(paths.length).toBeGreaterThan(70)
  for (const path of paths) {
    const { code, out, err } = await run(`${path} --help`, { env })
    expect([code, err, out.startsWith(`Usage: steeple ${path}`)], path).toEqual([0, '', true])
  }
})

test('the page of a program names each of its commands once, with what it does', async () => {
  for (const program of PROGRAMS) {
    const { out } = await run(`${program.name} --help`, {
      env: { [FEATURES_VARIABLE]: 'wit-svid' },
    })
    for (const [command, { summary }] of program.commands) {
      const lines = out.split('\n').filter((line) => line.startsWith(`  ${command}  `))
      expect(lines, command).toHaveLength(1)
      expect(lines[0]).toContain(summary)
    }
  }
})
