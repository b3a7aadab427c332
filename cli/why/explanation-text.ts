/** An explanation for people: facts first, then what follows from them. */
import { ago } from '../../agent/explain/phrase.ts'
import type { Explanation, ShownEntry } from './explanation.ts'

/** More would hide the sentence that matters. */
const MAX_SHOWN = 5

export function explanationText(told: Explanation): string {
  const { agent, entries, conclusion, command, notes } = told
  const shown = entries.slice(0, MAX_SHOWN)
  return [
    `Process ${agent.pid}`,
    ...agent.findings.map(({ attestor, selectors, error }) =>
      error === undefined
        ? `  ${attestor}: ${selectors.join(', ') || 'nothing'}`
        : `  ${attestor}: failed: ${error}`,
    ),
    '',
    `Agent ${agent.agentId}`,
    `  ${heard(told)}`,
    `  has ${agent.entriesCount} ${agent.entriesCount === 1 ? 'entry' : 'entries'}`,
    ...(shown.length === 0 ? [] : ['', 'Closest entries', ...shown.flatMap(entryLines)]),
    '',
    sentence(conclusion.sentence),
    ...notes.map((note) => sentence(note)),
    ...(command === undefined || !isVisible(command) ? [] : ['', `  ${command}`]),
    '',
  ]
    .map(visible)
    .join('\n')
}

/** What ends a line, steers a terminal or turns the text around. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/gu

/** Processes choose their paths and names: they must not be able to write lines of ours, or a command to be copied. */
function visible(line: string): string {
  return line.replace(INVISIBLE, (one) => `\\u{${one.codePointAt(0)?.toString(16)}}`)
}

function isVisible(line: string): boolean {
  return visible(line) === line
}

function heard({ agent: { sync, now } }: Explanation): string {
  const { lastSuccessAt, failure } = sync
  const last =
    lastSuccessAt === undefined
      ? 'has not heard from the server since it started'
      : `last heard from the server ${ago(now.getTime() - lastSuccessAt.getTime())}`
  return failure === undefined ? last : `${last}; now: ${failure}`
}

function entryLines(entry: ShownEntry): readonly string[] {
  const { missing, present, parent, expiresAt } = entry
  const line = (name: string, text: string) => `    ${name.padEnd(8)} ${text}`
  const whose = parent?.isOfAgent === true ? 'of this agent' : 'not of this agent'
  return [
    `  ${entry.entryId}  ${entry.id}`,
    ...(missing.length === 0 ? [] : [line('lacks', missing.join(', '))]),
    ...(present.length === 0 ? [] : [line('has', present.join(', '))]),
    ...(parent === undefined ? [] : [line('parent', `${parent.id} (${whose})`)]),
    ...(expiresAt === undefined
      ? []
      : [line(entry.isExpired ? 'expired' : 'expires', expiresAt.toISOString())]),
    line('agent', standing(entry)),
  ]
}

function standing({ isHeld, hasSvid, storeSvid }: ShownEntry): string {
  if (!isHeld) return 'has not got it'
  if (storeSvid) return 'has got it; its SVIDs go to a store'
  return hasSvid ? 'has got it, and an SVID of it' : 'has got it'
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
