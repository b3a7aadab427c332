/**
 * Every command of SPIRE's programs and every flag that their help names is ours, too, of the same shape and with the
 * same default, and the other way round but for what is ours alone.
 */
import { expect } from 'vitest'
import { agentProgram } from '../../cli/agent-program.ts'
import type { Flag } from '../../cli/flag/flag.ts'
import { commandsBelow, FEATURES_VARIABLE, type Program } from '../../cli/program.ts'
import { serverProgram } from '../../cli/server-program.ts'
import { run } from '../processes/process.ts'
import { interop, peer } from './interop.ts'

const OURS_ALONE: ReadonlySet<string> = new Set([
  ...['entry diff', 'entry apply', 'mesh status'],
  ...['backup', 'restore', 'export', 'import'],
])
const env = { [FEATURES_VARIABLE]: 'wit-svid' }

interface Shown {
  readonly takesValue: boolean
  readonly defaultText: string
}

/** Flags as Go's flag package prints them. */
function flagsOf(help: string): ReadonlyMap<string, Shown> {
  const flags = help.matchAll(/^ {2}-(\w+)( \w+)?(?:\n {4}\t| {2,}|\t)(.*)$/gm)
  return new Map(
    [...flags].map(([, name = '', kind, text = '']) => [
      name,
      {
        takesValue: kind !== undefined,
        defaultText: /\(default "?(.*?)"?\)$/.exec(text)?.[1] ?? '',
      },
    ]),
  )
}

/** The words that a group's help lists; what is not indented is no command. */
function subcommandsOf(help: string): readonly string[] {
  const list = help.split(/^(?:Subcommands|Available commands are):\n/m)[1] ?? ''
  return [...list.matchAll(/^ {4}(\w+)/gm)].map(([, word = '']) => word)
}

/** As SPIRE's help would print the default. */
function defaultOf({ initial, defaultText = '', placeholder }: Flag<unknown>): string {
  if (placeholder === 'duration') return defaultText
  return initial === undefined || Array.isArray(initial) ? '' : defaultText
}

/** What SPIRE's help says in other words, or leaves out. */
const DIFFERENCES: Readonly<Record<string, string>> = {
  'run -config': 'the default is conf/server/server.conf, which its help leaves out',
  'validate -config': 'the default is conf/server/server.conf, which its help leaves out',
  'agent purge -expiredFor': '720h is 720h0m0s',
}

async function compare(program: Program, name: 'spire-server' | 'spire-agent'): Promise<void> {
  const help = async (path: string) => {
    const words = path === '' ? ['-h'] : [...path.split(' '), '-h']
    const { stdout, stderr, code } = await run(peer(name), words, { env })
    expect(code, path).toBe(0)
    return stdout + stderr
  }
  const found: string[] = []
  const different: string[] = []
  const visit = async (path: readonly string[]) => {
    const page = await help(path.join(' '))
    const words = subcommandsOf(page)
    for (const word of words) await visit([...path, word])
    if (words.length > 0 && path.join(' ') !== 'api fetch') return
    const command = path.join(' ')
    found.push(command)
    const entry = program.commands.get(command)
    expect(entry, `${name} ${command}`).toBeDefined()
    const ours = (await entry?.load())?.flags ?? {}
    const theirs = flagsOf(page)
    // the help of this group names the flags of what is below it, too
    if (command === 'api fetch') return
    expect(Object.keys(ours).toSorted(), command).toEqual([...theirs.keys()].toSorted())
    for (const [flag, { takesValue, defaultText }] of theirs) {
      const own = ours[flag]
      if (own === undefined) continue
      expect(own.placeholder !== undefined, `${command} -${flag}`).toBe(takesValue)
      if (defaultOf(own) !== defaultText) different.push(`${command} -${flag}`)
    }
  }
  await visit([])
  const named = [...commandsBelow(program, []).keys()].filter((one) => !OURS_ALONE.has(one))
  expect(found.toSorted()).toEqual(named.toSorted())
  expect(different.filter((one) => DIFFERENCES[one] === undefined)).toEqual([])
}

interop('the commands of spire-server and their flags are ours', ['spire-server'], () =>
  compare(serverProgram, 'spire-server'),
)

interop('the commands of spire-agent and their flags are ours', ['spire-agent'], () =>
  compare(agentProgram, 'spire-agent'),
)
