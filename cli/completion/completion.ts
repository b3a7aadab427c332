/** `steeple completion`: the script that makes a shell complete commands, flags and their values. */
import { IdentityError } from '../../spiffe/error.ts'
import { defineCommand } from '../command.ts'
import { choice } from '../flag/kinds.ts'
import { withFeatures } from '../program.ts'
import { PROGRAMS } from '../programs.ts'
import { rootProgram } from '../root-program.ts'
import { bashScript } from './bash.ts'
import { fishScript } from './fish.ts'
import { completionPoints, type Point, type Rooted } from './points.ts'
import { zshScript } from './zsh.ts'

type Script = (program: string, points: readonly Point[]) => string

const SHELLS: ReadonlyMap<string, Script> = new Map([
  ['bash', bashScript],
  ['zsh', zshScript],
  ['fish', fishScript],
])
const SHELL_NAMES = [...SHELLS.keys()]

const STEEPLE = 'steeple'
const NAMES = [STEEPLE, ...PROGRAMS.flatMap(({ upstream }) => upstream ?? [])]

export const completion = defineCommand({
  summary: 'Print what makes a shell complete commands, flags and their values',
  details: `For good:

    bash  steeple completion bash > ~/.local/share/bash-completion/completions/steeple
    zsh   steeple completion zsh > "\${fpath[1]}/_steeple"
    fish  steeple completion fish > ~/.config/fish/completions/steeple.fish`,
  examples: ['completion bash', 'completion zsh -program spire-server'],
  flags: { program: choice('the name that is completed', NAMES, STEEPLE) },
  words: { usage: `<${SHELL_NAMES.join('|')}>`, count: 1, choices: SHELL_NAMES },
  async run({ program: name }, { terminal }, [shell = '']) {
    const script = SHELLS.get(shell)
    if (script === undefined) {
      throw refusal(`shell is ${JSON.stringify(shell)}, expected ${SHELL_NAMES.join(', ')}`)
    }
    const rooted = rootedOf(name).map(({ prefix, program }) => ({
      prefix,
      program: withFeatures(program, terminal.env),
    }))
    terminal.print(script(name, await completionPoints(rooted)))
    return 0
  },
})

function rootedOf(name: string): readonly Rooted[] {
  if (name === STEEPLE) {
    const named = PROGRAMS.map((program) => ({ prefix: program.name, program }))
    return [...named, { prefix: '', program: rootProgram }]
  }
  const found = PROGRAMS.filter(({ upstream }) => upstream === name)
  if (found.length === 0) {
    throw refusal(`-program is ${JSON.stringify(name)}, expected ${NAMES.join(', ')}`)
  }
  return found.map((program) => ({ prefix: '', program }))
}

function refusal(message: string): IdentityError {
  return new IdentityError('REQUEST_INVALID', message)
}
