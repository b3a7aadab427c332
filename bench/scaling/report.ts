/** The tables of docs/scaling.md, between two marks each, made of the points that are kept; pictures with them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lackingFor } from './model.ts'
import { checkTable, constantsTable, forecastTable, limitsTable } from './model-tables.ts'
import { drawPictures } from './pictures.ts'
import { agentsTable, entriesTable } from './point-tables.ts'
import { readPoints } from './points.ts'

const DOC = join(import.meta.dirname, '..', '..', 'docs', 'scaling.md')

/** Prints what it writes; leaves out what there are not enough points for. */
export function writeReport(): void {
  const points = readPoints()
  keep('agents', agentsTable(points.agents))
  keep('entries', entriesTable(points.entries))
  drawPictures(points)
  const lacking = lackingFor(points)
  if (lacking !== undefined) {
    console.log(`scaling   no model yet: ${lacking}`)
    return
  }
  keep('constants', constantsTable(points))
  keep('check', checkTable(points))
  keep('forecast', forecastTable(points))
  keep('limits', limitsTable(points))
}

function keep(name: string, table: readonly string[]): void {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`]
  const [before = '', rest] = readFileSync(DOC, 'utf8').split(begin)
  const after = rest?.split(end)[1]
  if (after === undefined) throw new Error(`docs/scaling.md has no ${begin} with its end`)
  console.log(`\n${name}\n${table.join('\n')}`)
  writeFileSync(DOC, `${before}${begin}\n${table.join('\n')}\n${end}${after}`)
}
