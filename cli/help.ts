/** The texts of help, laid out by commander. They are for people: scripts have `-output json`. */
import { Command, Option } from 'commander'
import type { AnyCommand } from './command.ts'
import { type Program, wordsAfter } from './program.ts'

const WIDTH = 100

/** @param name the whole command line up to its flags, e.g. `steeple server entry show` */
export function commandHelp(name: string, { summary, flags, examples }: AnyCommand): string {
  const page = new Command(name)
    .helpOption(false)
    .usage(Object.keys(flags).length === 0 ? '' : '[flags]')
    .description(summary)
    .configureHelp({
      helpWidth: WIDTH,
      optionTerm: (option) => {
        const flag = flags[option.name()]
        const value = flag?.placeholder === undefined ? '' : ` <${flag.placeholder}>`
        return `-${option.name()}${value}`
      },
      optionDescription: (option) => {
        const { summary: says = '', defaultText } = flags[option.name()] ?? {}
        return defaultText === undefined ? says : `${says} (default ${defaultText})`
      },
      styleTitle: (title) => (title === 'Options:' ? 'Flags:' : title),
    })
  for (const name of Object.keys(flags).sort()) page.addOption(new Option(`--${name} <value>`))
  const lines = examples.map((example) => `  steeple ${example}\n`).join('')
  const title = examples.length === 1 ? 'Example' : 'Examples'
  return page.helpInformation() + (examples.length === 0 ? '' : `\n${title}:\n${lines}`)
}

/** The commands of a program, or those of one group of it. */
export function groupHelp(program: Program, path: readonly string[]): string {
  const name = ['steeple', program.name, ...path].join(' ')
  const what = path.length === 0 ? sentence(program.summary) : ''
  return listing(name, what, wordsAfter(program, path), `${name} <command> -help says more of one`)
}

export function rootHelp(programs: readonly Program[], more: ReadonlyMap<string, string>): string {
  const words = new Map([
    ...programs.map(({ name, summary }) => [name, sentence(summary)] as const),
    ...more,
  ])
  const what = 'SPIFFE workload identity: give every workload an identity that it can prove.'
  return listing('steeple', what, words, 'steeple <command> --help says more of one')
}

function listing(
  name: string,
  what: string,
  words: ReadonlyMap<string, string>,
  hint: string,
): string {
  const page = new Command(name)
    .helpOption(false)
    .helpCommand(false)
    .usage('<command> [flags]')
    .description(what)
    .configureHelp({ helpWidth: WIDTH, subcommandTerm: (command) => command.name() })
  for (const [word, summary] of words) page.addCommand(new Command(word).description(summary))
  return `${page.helpInformation()}\n${hint}\n`
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
