/** What was measured, as a table and a picture for people; a complete run is kept beside the benchmark. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { keepsTables, rewriteTable } from '../marked-tables.ts'
import { chartOf } from './chart.ts'
import type { Measured } from './load.ts'
import type { Kind } from './pair.ts'

export type Row =
  | {
      readonly kind: 'load'
      readonly title: string
      readonly run: string
      readonly best: ReadonlyMap<Kind, Measured>
    }
  /** Milliseconds until most answers have come. */
  | { readonly kind: 'late'; readonly title: string; readonly ms: ReadonlyMap<Kind, number> }
  | { readonly kind: 'idle'; readonly title: string; readonly kib: ReadonlyMap<Kind, number> }

const PEERS = ['envoy', 'haproxy'] as const

const PICTURE = '![times Envoy and HAProxy](proxy.svg)'

/** @param isComplete then it takes the place of the table in bench/README.md */
export function writeTable(rows: readonly Row[], isComplete: boolean): void {
  const table = tableOf(rows).join('\n')
  console.log(table)
  if (!isComplete || !keepsTables()) return
  const folder = join(import.meta.dirname, '..')
  rewriteTable(join(folder, 'README.md'), 'proxy', () => `${table}\n\n${PICTURE}`)
  writeFileSync(join(folder, 'proxy.svg'), chartOf(rows))
}

/** Requests for a second of processor time: what one core could do without anybody else on it. */
export const perCore = ({ microsEach }: Measured): number => 1e6 / microsEach

function tableOf(rows: readonly Row[]): readonly string[] {
  const lines = [
    '| pair on one core | Steeple | Envoy | HAProxy | of Envoy | of HAProxy |',
    '|---|---:|---:|---:|---:|---:|',
  ]
  for (const row of rows) {
    if (row.kind === 'load') lines.push(loadLine(row))
    else lines.push(row.kind === 'late' ? lateLine(row) : idleLine(row))
  }
  return lines
}

const whole = (value: number | undefined) =>
  value === undefined ? '' : Math.round(value).toLocaleString('en')
const times = (value: number) => (Number.isFinite(value) ? `${value.toFixed(2)} ×` : '')

function loadLine({ title, run, best }: Extract<Row, { kind: 'load' }>): string {
  const of = (kind: Kind) => {
    const found = best.get(kind)
    return found === undefined ? undefined : perCore(found)
  }
  const ours = of('steeple') ?? Number.NaN
  const ratios = PEERS.map((kind) => times(ours / (of(kind) ?? Number.NaN)))
  const all = [whole(ours), ...PEERS.map((kind) => whole(of(kind)))]
  return `| ${title}; ${run} | ${[...all, ...ratios].join(' | ')} |`
}

/** Ratios as for rates: more is better for ours. */
function lateLine({ title, ms }: Extract<Row, { kind: 'late' }>): string {
  const show = (kind: Kind) => ms.get(kind)?.toFixed(1) ?? ''
  const ours = ms.get('steeple') ?? Number.NaN
  const ratios = PEERS.map((kind) => times((ms.get(kind) ?? Number.NaN) / ours))
  return `| ${title}, ms | ${[show('steeple'), ...PEERS.map(show), ...ratios].join(' | ')} |`
}

function idleLine({ title, kib }: Extract<Row, { kind: 'idle' }>): string {
  const show = (kind: Kind) => `${kib.get(kind)?.toFixed(1) ?? ''}`
  return `| ${title}; KiB of an idle connection | ${show('steeple')} | ${show('envoy')} | ${show('haproxy')} | | |`
}
