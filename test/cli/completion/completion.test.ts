/** Completion, asked of the real shells. One that is missing is said loudly, by name. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { AnyCommand } from '../../../cli/command.ts'
import { completionPoints } from '../../../cli/completion/points.ts'
import { fishQuoted, shellQuoted } from '../../../cli/completion/shell-text.ts'
import { FEATURES_VARIABLE } from '../../../cli/program.ts'
import { PROGRAMS } from '../../../cli/programs.ts'
import { rootProgram } from '../../../cli/root-program.ts'
import { isInstalled, run as start } from '../../processes/process.ts'
import { run } from '../run.ts'

const dir = mkdtempSync(join(tmpdir(), 'completion-'))
afterAll(() => rmSync(dir, { recursive: true }))
writeFileSync(join(dir, 'entries.yaml'), '')

async function script(shell: string, ...flags: readonly string[]): Promise<string> {
  const { code, out, err } = await run(['completion', shell, ...flags])
  expect([code, err]).toEqual([0, ''])
  const path = join(dir, `${[shell, ...flags].join('')}`)
  writeFileSync(path, out)
  return path
}

const captured = async (shell: string, args: readonly string[]) => {
  const { code, stdout, stderr } = await start(shell, args, { cwd: dir })
  expect([code, stderr], stdout).toEqual([0, ''])
  return stdout.split('\n').filter((line) => line !== '')
}

type Ask = (path: string, line: string) => Promise<readonly string[]>

const SHELLS: Readonly<Record<string, Ask>> = {
  async bash(path, line) {
    // `=` stands in COMP_WORDBREAKS
    const words = line.split(' ').flatMap((word) => word.split(/(?<=^-\w+)(?==)|(?<==)(?=.)/))
    return await captured('bash', [join(import.meta.dirname, 'capture.bash'), path, ...words])
  },
  async zsh(path, line) {
    const capture = join(import.meta.dirname, 'capture.zsh')
    const hits = await captured('zsh', ['-f', capture, path, line])
    return hits
      .map((hit) => hit.slice('HIT:'.length))
      .filter((hit) => hit !== '@anything')
      .map((hit) => (hit === '@files' ? 'entries.yaml' : hit))
  },
  async fish(path, line) {
    const asked = `source ${path}; complete -C '${line}'`
    const lines = await captured('fish', ['--no-config', '-c', asked])
    return lines.map((one) => one.split('\t')[0] ?? '')
  },
}

/** A shell is started anew for each line. */
const MANY_STARTS_MS = 60_000

function withShell(shell: string, title: string, body: (ask: Ask) => Promise<void>): void {
  const ask = SHELLS[shell]
  if (ask !== undefined && isInstalled(shell)) {
    test(`${shell} ${title}`, { timeout: MANY_STARTS_MS }, async () => await body(ask))
    return
  }
  process.stderr.write(`SKIPPED ${shell} ${title}: ${shell} is not installed\n`)
  test.skip(`${shell} ${title} (${shell} is not installed)`, () => {})
}

const LINES = [
  ['steeple ', ['agent', 'completion', 'dev', 'entry', 'server']],
  ['steeple server loc', ['localauthority']],
  ['steeple server localauthority x509 ', ['activate', 'prepare', 'revoke', 'show', 'taint']],
  ['steeple agent api fetch ', ['jwt', 'x509']],
  ['steeple server entry show -match', ['-matchFederatesWithOn', '-matchSelectorsOn']],
  ['steeple server entry show -output ', ['json', 'pretty']],
  ['steeple server entry show -downstream -output j', ['json']],
  ['steeple server entry show -matchSelectorsOn su', ['subset', 'superset']],
  ['steeple server entry show -spiffeID ', []],
  ['steeple agent run -config en', ['entries.yaml']],
  ['steeple entry apply en', ['entries.yaml']],
  ['steeple completion ', ['bash', 'fish', 'zsh']],
  ['steeple nonsense sh', []],
] as const

for (const shell of Object.keys(SHELLS)) {
  withShell(shell, 'offers the words, flags and values that may follow', async (ask) => {
    const path = await script(shell)
    for (const [line, expected] of LINES) {
      const offered = await ask(path, line)
      if (line === 'steeple ') expect(offered, line).toEqual(expect.arrayContaining([...expected]))
      else expect(offered.toSorted(), line).toEqual(expected)
    }
  })

  withShell(
    shell,
    'completes spire-server and spire-agent for whoever calls it so',
    async (ask) => {
      const server = await script(shell, '-program=spire-server')
      expect(await ask(server, 'spire-server entry cr')).toEqual(['create'])
      const agent = await script(shell, '-program=spire-agent')
      expect(await ask(agent, 'spire-agent api fetch jwt -aud')).toEqual(['-audience'])
    },
  )
}

for (const shell of ['bash', 'zsh']) {
  withShell(
    shell,
    'completes values after an equals sign and flags with two dashes',
    async (ask) => {
      const path = await script(shell)
      expect(await ask(path, 'steeple server entry show -output=j')).toEqual(['json'])
      const either = await ask(path, 'steeple server entry show -downstream=')
      expect(either.toSorted()).toEqual(['false', 'true'])
      expect(await ask(path, 'steeple server entry show --out')).toEqual(['--output'])
    },
  )
}

const rooted = [
  ...PROGRAMS.map((program) => ({ prefix: program.name, program })),
  { prefix: '', program: rootProgram },
]

test('every command and each of its flags is a point of the script, and nothing else is', async () => {
  const points = new Map((await completionPoints(rooted)).map((point) => [point.path, point]))
  const commands = rooted.flatMap(({ prefix, program }) =>
    [...program.commands].map(([path, { load }]) => ({ path: `${prefix} ${path}`.trim(), load })),
  )
  for (const { path, load } of commands) {
    const command: AnyCommand = await load()
    const names = [...Object.keys(command.flags), 'help'].toSorted()
    expect(
      points.get(path)?.flags.map(({ name }) => name),
      path,
    ).toEqual(names)
  }
  for (const { path, words } of points.values()) {
    for (const { name, summary } of words) {
      expect(points.has(`${path} ${name}`.trim()), `${path} ${name}`).toBe(true)
      expect(summary).not.toBe('')
    }
  }
})

test('a command of a feature is completed only where the feature was asked for', async () => {
  const without = await run('completion bash')
  const env = { [FEATURES_VARIABLE]: 'wit-svid' }
  const asked = await run('completion bash', { env })
  expect(without.out).not.toContain('wit mint')
  expect(asked.out).toContain('wit mint')
})

test.for([
  ['completion powershell', 'Error: shell is "powershell", expected bash, zsh, fish\n'],
  [
    'completion bash -program kubectl',
    'Error: -program is "kubectl", expected steeple, spire-server, spire-agent\n',
  ],
])('"steeple %s" is refused with what there is', async ([line = '', said]) => {
  expect(await run(line)).toEqual({ code: 1, out: '', err: said })
})

test('a text that would end its quotes stays one word in every shell', async () => {
  const text = `it's "$HOME" \\ \`id\` !x; # (a|b) é`
  const said = async (shell: string, quoted: string) =>
    (await start(shell, ['-c', `printf %s ${quoted}`])).stdout
  expect(await said('sh', shellQuoted(text))).toBe(text)
  if (isInstalled('zsh')) expect(await said('zsh', shellQuoted(text))).toBe(text)
  if (isInstalled('fish')) expect(await said('fish', fishQuoted(text))).toBe(text)
})
