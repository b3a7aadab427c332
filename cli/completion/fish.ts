/** The completion of fish: one line for each word and each flag, and a function that says where the command line is. */
import type { Point, Values } from './points.ts'
import { fishQuoted, functionName } from './shell-text.ts'

/** @param program the name that is completed */
export function fishScript(program: string, points: readonly Point[]): string {
  const at = `_${functionName(program)}_at`
  const lines = points.flatMap((point) => linesOf(program, at, point))
  return `# Completion of ${program} for fish: source it, or save it as ~/.config/fish/completions/${program}.fish

${whereFunction(at, points)}
complete -c ${program} -f
${lines.join('\n')}
`
}

function linesOf(program: string, at: string, point: Point): readonly string[] {
  const where = `complete -c ${program} -n ${fishQuoted(`${at} ${fishQuoted(point.path)}`)}`
  const { operands } = point
  return [
    ...point.words.map(
      ({ name, summary }) => `${where} -a ${fishQuoted(name)} -d ${fishQuoted(summary)}`,
    ),
    ...point.flags.map(({ name, summary, value }) => {
      const takes = value === undefined ? '' : valueOptions(value)
      return `${where} -o ${name}${takes} -d ${fishQuoted(summary)}`
    }),
    ...(operands.kind === 'files' ? [`${where} -F`] : []),
    ...(operands.kind === 'words' ? [`${where} -a ${fishQuoted(operands.words.join(' '))}`] : []),
  ]
}

function valueOptions(value: Values): string {
  switch (value.kind) {
    case 'files':
      return ' -r -F'
    case 'words':
      return ` -x -a ${fishQuoted(value.words.join(' '))}`
    case 'anything':
      return ' -x'
    default:
      return value satisfies never
  }
}

/** The longest path of words on the command line, as the program itself looks for its command. */
function whereFunction(at: string, points: readonly Point[]): string {
  const paths = points.map(({ path }) => path).filter((path) => path !== '')
  return `function ${at}
    set -l here ''
    for word in (commandline -opc)[2..-1]
        set -l next (string trim -- "$here $word")
        contains -- $next ${paths.map(fishQuoted).join(' ')}; or break
        set here $next
    end
    test "$here" = "$argv[1]"
end
`
}
