/** What was measured, printed as it comes, and kept as a table in bench/README.md between two marks of the benchmark's own. */
import { join } from 'node:path'
import type { Kind } from '../../test/processes/cluster.ts'
import { rewriteTable } from '../marked-tables.ts'

/** One line of a table. Undefined: not measured. */
export interface Figure {
  readonly what: string
  readonly unit: string
  readonly of: ReadonlyMap<Kind, number>
  /** Whether less is better. */
  readonly isCost: boolean
}

const README = join(import.meta.dirname, '..', 'README.md')
const HEAD = ['| | Steeple | SPIRE | Steeple is better by |', '|---|---:|---:|---:|']

/** Prints the figure at once, so that a run that is ended early has told something. */
export function print(figure: Figure): Figure {
  console.log(lineOf(figure))
  return figure
}

/** Takes the place of those lines in bench/README.md that have the same name, and adds what is new. */
export function keepFigures(name: string, figures: readonly Figure[]): void {
  rewriteTable(README, name, (old) => {
    const lines = new Map(
      old
        .split('\n')
        .filter((line) => line.startsWith('| ') && line !== HEAD[0])
        .map((line) => [titleOf(line), line]),
    )
    for (const figure of figures) {
      const line = lineOf(figure)
      lines.set(titleOf(line), line)
    }
    return [...HEAD, ...lines.values()].join('\n')
  })
}

const titleOf = (line: string) => line.split('|')[1]?.trim() ?? ''

function lineOf({ what, unit, of, isCost }: Figure): string {
  const [ours, theirs] = [of.get('steeple'), of.get('spire')]
  const show = (value: number | undefined) =>
    value === undefined ? '' : `${digits(value)}${unit === '' ? '' : ` ${unit}`}`
  const ratio =
    ours === undefined || theirs === undefined || Math.min(ours, theirs) <= 0
      ? ''
      : `${(isCost ? theirs / ours : ours / theirs).toFixed(2)} ×`
  return `| ${what} | ${show(ours)} | ${show(theirs)} | ${ratio} |`
}

function digits(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en')
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
