/** The completion of bash: three functions of data, by the words so far, and one that asks them. */
import type { Point, Values } from './points.ts'
import { functionName, shellQuoted } from './shell-text.ts'

/** @param program the name that is completed */
export function bashScript(program: string, points: readonly Point[]): string {
  const name = functionName(program)
  return `# Completion of ${program} for bash: source it, or put it into a file that bash-completion reads.

${dataFunction(
  `${name}_words`,
  points.map(({ path, words }) => [path, words.map((word) => word.name).join(' ')]),
)}
${dataFunction(
  `${name}_flags`,
  points.map(({ path, flags }) => [path, flags.map((flag) => flag.name).join(' ')]),
)}
# Of a flag, or of the command itself when no flag is named; nothing for a flag without a value.
${dataFunction(`${name}_values`, valueRows(points))}
${completer(name)}
complete -F ${name} ${program}
`
}

function valueRows(points: readonly Point[]): readonly (readonly [string, string])[] {
  return points.flatMap(({ path, flags, operands }) => [
    [`${path} -`, valuesWord(operands)] as const,
    ...flags.flatMap(({ name, value }) =>
      value === undefined ? [] : [[`${path} -${name}`, valuesWord(value)] as const],
    ),
  ])
}

function valuesWord(values: Values): string {
  return values.kind === 'words' ? values.words.join(' ') : `@${values.kind}`
}

function dataFunction(name: string, rows: readonly (readonly [string, string])[]): string {
  const cases = rows
    .filter(([, text]) => text !== '')
    .map(([key, text]) => `    ${shellQuoted(key)}) echo ${shellQuoted(text)} ;;`)
  return `${name}() {
  case $1 in
${cases.join('\n')}
  esac
}
`
}

/** `=` is a word of its own to bash, so that \`-flag=value\` comes as three. */
function completer(name: string): string {
  return `${name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} at='' values='' dash word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    [[ " $(${name}_words "$at") " == *" $word "* ]] || break
    at=\${at:+$at }$word
  done
  COMPREPLY=()
  if [[ $cur == '=' ]]; then
    cur=''
    values=$(${name}_values "$at -\${prev##*-}")
    values=\${values:-true false}
  elif [[ $prev == '=' ]]; then
    prev=\${COMP_WORDS[COMP_CWORD-2]}
    values=$(${name}_values "$at -\${prev##*-}")
    values=\${values:-true false}
  elif [[ $prev == -?* && $prev != -- ]]; then
    values=$(${name}_values "$at -\${prev##*-}")
  fi
  if [[ -z $values && $cur == -* ]]; then
    dash=-
    [[ $cur != --* ]] || dash=--
    COMPREPLY=($(compgen -P "$dash" -W "$(${name}_flags "$at")" -- "\${cur#"$dash"}"))
    return
  fi
  if [[ -z $values ]]; then
    values=$(${name}_words "$at")
    values=\${values:-$(${name}_values "$at -")}
  fi
  case $values in
    @anything) ;;
    @files)
      compopt -o filenames 2>/dev/null
      local IFS=$'\\n'
      COMPREPLY=($(compgen -f -- "$cur"))
      ;;
    *) COMPREPLY=($(compgen -W "$values" -- "$cur")) ;;
  esac
}
`
}
