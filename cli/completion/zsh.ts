/** The completion of zsh: three functions of data, by the words so far, and one that asks them. */
import type { Offer, Point, Values } from './points.ts'
import { functionName, shellQuoted } from './shell-text.ts'

/** @param program the name that is completed */
export function zshScript(program: string, points: readonly Point[]): string {
  const name = functionName(program)
  return `#compdef ${program}
# Completion of ${program} for zsh: source it after compinit, or save it as ${name} in a directory of $fpath.

${dataFunction(
  `${name}_words`,
  points.map(({ path, words }) => [path, described(words, '')]),
)}
${dataFunction(
  `${name}_flags`,
  points.map(({ path, flags }) => [path, described(flags, '-')]),
)}
# Of a flag, or of the command itself when no flag is named; nothing for a flag without a value.
${dataFunction(`${name}_values`, valueRows(points))}
${completer(name)}
if [[ $funcstack[1] == ${name} ]]; then ${name} "$@"; else compdef ${name} ${program}; fi
`
}

function described(offers: readonly Offer[], dash: string): readonly string[] {
  return offers.map(({ name, summary }) => `${dash}${name}:${summary}`)
}

function valueRows(points: readonly Point[]): readonly (readonly [string, readonly string[]])[] {
  return points.flatMap(({ path, flags, operands }) => [
    [`${path} -`, valueWords(operands)] as const,
    ...flags.flatMap(({ name, value }) =>
      value === undefined ? [] : [[`${path} -${name}`, valueWords(value)] as const],
    ),
  ])
}

function valueWords(values: Values): readonly string[] {
  return values.kind === 'words' ? values.words : [`@${values.kind}`]
}

function dataFunction(
  name: string,
  rows: readonly (readonly [string, readonly string[]])[],
): string {
  const cases = rows
    .filter(([, words]) => words.length > 0)
    .map(
      ([key, words]) => `    ${shellQuoted(key)}) reply=(${words.map(shellQuoted).join(' ')}) ;;`,
    )
  return `${name}() {
  reply=()
  case $1 in
${cases.join('\n')}
  esac
}
`
}

function completer(name: string): string {
  return `${name}() {
  local cur=$words[CURRENT] prev=$words[CURRENT-1] at='' i
  local -a reply names
  for ((i = 2; i < CURRENT; i++)); do
    ${name}_words "$at"
    names=("\${(@)reply%%:*}")
    (( $names[(Ie)$words[i]] )) || break
    at=\${at:+$at }$words[i]
  done
  reply=()
  if [[ $cur == -*=* ]]; then
    prev=\${cur%%=*}
    compset -P '*='
    ${name}_values "$at -\${prev##*-}"
    (( $#reply )) || reply=(true false)
  elif [[ $prev == -?* && $prev != -- ]]; then
    ${name}_values "$at -\${prev##*-}"
  fi
  if (( ! $#reply )) && [[ $cur == -* ]]; then
    ${name}_flags "$at"
    [[ $cur != --* ]] || reply=(-\${^reply})
    _describe -o flag reply
    return
  fi
  if (( ! $#reply )); then
    ${name}_words "$at"
    if (( $#reply )); then
      _describe command reply
      return
    fi
    ${name}_values "$at -"
  fi
  case $reply[1] in
    @anything) _message value ;;
    @files) _files ;;
    *) compadd -- $reply ;;
  esac
}
`
}
