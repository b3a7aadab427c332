/** The texts of help, laid out by commander. They are for people: scripts have `-output json`. */
import { Command, Option } from 'commander'
import type { AnyCommand } from './command.ts'
import type { Flag } from './flag/flag.ts'
import { commandsBelow, type Program } from './program.ts'

const WIDTH = 100

interface Titled {
  /** The words that led to the program, e.g. `steeple server`. */
  readonly title: string
  /** The words of the command from there. */
  readonly path: string
  readonly command: AnyCommand
}

export function commandHelp({ title, path, command }: Titled): string {
  const { summary, details, flags, words } = command
  const usage = [Object.keys(flags).length === 0 ? '' : '[flags]', words?.usage ?? '']
  const page = new Command(`${title} ${path}`)
    .helpOption(false)
    .usage(usage.filter((part) => part !== '').join(' '))
    .description(details === undefined ? summary : `${summary}\n\n${details}`)
    .configureHelp({
      helpWidth: WIDTH,
      optionTerm: (option) => {
        const flag = flags[option.name()]
        const value = flag?.placeholder === undefined ? '' : ` <${flag.placeholder}>`
        return `-${option.name()}${value}`
      },
      optionDescription: (option) => {
        const flag = flags[option.name()]
        return flag === undefined ? '' : `${flag.summary}${defaultOf(flag)}`
      },
      styleTitle: (title) => (title === 'Options:' ? 'Flags:' : title),
    })
  for (const name of Object.keys(flags).sort()) page.addOption(new Option(`--${name} <value>`))
  return page.helpInformation() + environmentOf(command) + examplesOf(title, command)
}

function defaultOf({ defaultText, required }: Flag<unknown>): string {
  if (required === true) return ' (required)'
  return defaultText === undefined ? '' : ` (default ${defaultText})`
}

function environmentOf({ flags }: AnyCommand): string {
  const variables = Object.entries(flags).flatMap(([name, { variable }]) =>
    variable === undefined ? [] : [{ name: variable.name, text: `${variable.summary} -${name}` }],
  )
  const width = Math.max(...variables.map(({ name }) => name.length))
  const lines = variables.map(({ name, text }) => `  ${name.padEnd(width)}  ${text}\n`).sort()
  return lines.length === 0 ? '' : `\nEnvironment:\n${lines.join('')}`
}

/** Examples are written as `steeple` takes them; the title says the first word in its own way. */
function examplesOf(title: string, { examples }: AnyCommand): string {
  if (examples.length === 0) return ''
  const programWords = ['server', 'agent', title.slice(title.lastIndexOf(' ') + 1)]
  const lines = examples.map((example) => {
    const [word = '', ...more] = example.split(' ')
    return `  ${title} ${programWords.includes(word) ? more.join(' ') : example}\n`
  })
  return `\n${examples.length === 1 ? 'Example' : 'Examples'}:\n${lines.join('')}`
}

interface Called {
  readonly program: Program
  readonly title: string
}

/** The commands of a program, or those of one group of it, under their headings. */
export function groupHelp({ program, title }: Called, path: readonly string[]): string {
  const isWhole = path.length === 0
  const name = [title, ...path].join(' ')
  const page = listing(name, isWhole ? sentence(program.summary) : '')
  const below = commandsBelow(program, path)
  for (const heading of isWhole ? ['', ...new Set(program.headings.values())] : ['']) {
    for (const [words, { summary }] of below) {
      const own = isWhole ? (program.headings.get(words.split(' ')[0] ?? '') ?? '') : ''
      if (own !== heading) continue
      add(page, words, summary, heading)
    }
  }
  return `${page.helpInformation()}\n${name} <command> --help says more of one\n`
}

export function rootHelp(programs: readonly Program[], root: Program): string {
  const page = listing('steeple', `${root.summary}.`)
  for (const { name, summary, upstream } of programs) {
    const like = upstream === undefined ? '' : `; takes every command of ${upstream}`
    add(page, name, sentence(summary) + like, '')
  }
  for (const [words, { summary }] of root.commands) {
    add(page, words, summary, 'Beyond SPIRE')
  }
  return `${page.helpInformation()}\nsteeple <command> --help says more of one\n`
}

function listing(name: string, what: string): Command {
  return new Command(name)
    .helpOption(false)
    .helpCommand(false)
    .usage('<command> [flags]')
    .description(what)
    .configureHelp({ helpWidth: WIDTH, subcommandTerm: (command) => command.name() })
}

function add(page: Command, words: string, summary: string, heading: string): void {
  const command = new Command(words).description(summary)
  page.addCommand(heading === '' ? command : command.helpGroup(`${heading}:`))
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
