/** What became of the items of an import: counted, and each refusal told with its line. */
import type { Terminal } from '../../terminal.ts'

export type Outcome = 'create' | 'update' | 'unchanged'

export interface Tally {
  count(outcome: Outcome): void
  refuse(line: number, why: string): void
  readonly refused: () => number
  text(dryRun: boolean): string
}

/** More are only counted. */
const MAX_TOLD = 1_000

/** @param name of the file */
export function createTally(name: string, terminal: Terminal): Tally {
  const counts = { create: 0, update: 0, unchanged: 0 }
  let refused = 0
  return {
    count: (outcome) => {
      counts[outcome] += 1
    },
    refuse: (line, why) => {
      refused += 1
      if (refused <= MAX_TOLD) terminal.complain(`${name}:${line}: ${why}\n`)
      else if (refused === MAX_TOLD + 1) terminal.complain('Further refusals are only counted\n')
    },
    refused: () => refused,
    text: (dryRun) =>
      dryRun
        ? `${counts.create} to create, ${counts.update} to update, ${counts.unchanged} unchanged, ${refused} refused\n`
        : `${counts.create} created, ${counts.update} updated, ${counts.unchanged} unchanged, ${refused} refused\n`,
  }
}
