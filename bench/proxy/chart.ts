/** What was measured, as a picture: how many times each peer's requests ours carries for the same processor time. */
import type { Kind } from './pair.ts'
import { perCore, type Row } from './table.ts'

const ROW_HEIGHT = 30
const LEFT = 250
const WIDTH = 420
const MARGIN = 24
const BAR = 10
/** Longer bars are cut off, with their figure beside them. */
const MAX_RATIO = 3

const PEERS = [
  { kind: 'envoy', name: 'Envoy', colour: '#2f6db5' },
  { kind: 'haproxy', name: 'HAProxy', colour: '#d08a2b' },
] as const satisfies readonly { kind: Kind; name: string; colour: string }[]

export function chartOf(rows: readonly Row[]): string {
  const loads = rows.filter((row) => row.kind === 'load')
  const height = loads.length * ROW_HEIGHT + 3 * MARGIN
  const x = (ratio: number) => LEFT + (Math.min(ratio, MAX_RATIO) / MAX_RATIO) * WIDTH
  const bars = loads.flatMap(({ title, run, best }, at) => {
    const top = 2 * MARGIN + at * ROW_HEIGHT
    const ours = best.get('steeple')
    const label = `<text x="${LEFT - 8}" y="${top + 14}" text-anchor="end">${title}; ${run}</text>`
    const drawn = PEERS.flatMap(({ kind, colour }, line) => {
      const theirs = best.get(kind)
      if (ours === undefined || theirs === undefined) return []
      const ratio = perCore(ours) / perCore(theirs)
      const y = top + line * (BAR + 2)
      return [
        `<rect x="${LEFT}" y="${y}" width="${(x(ratio) - LEFT).toFixed(1)}" height="${BAR}" fill="${colour}"/>`,
        `<text x="${(x(ratio) + 4).toFixed(1)}" y="${y + 9}" font-size="9">${ratio.toFixed(2)}</text>`,
      ]
    })
    return [label, ...drawn]
  })
  const legend = PEERS.map(
    ({ name, colour }, at) =>
      `<text x="${LEFT + at * 150}" y="${MARGIN}" fill="${colour}">times ${name}</text>`,
  )
  const one = `<line x1="${x(1)}" y1="${MARGIN + 8}" x2="${x(1)}" y2="${height - MARGIN}" stroke="#888" stroke-dasharray="3 3"/>`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${LEFT + WIDTH + 60}" height="${height}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="white"/>',
    ...[...legend, one, ...bars],
    '</svg>\n',
  ].join('\n')
}
