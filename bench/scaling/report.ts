/** The tables of docs/scaling.md, between two marks each, made of the points that are kept; pictures with them. */
import { join } from 'node:path'
import { rewriteTable } from '../marked-tables.ts'
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
  const text = table.join('\n')
  console.log(`\n${name}\n${text}`)
  rewriteTable(DOC, name, () => text)
}
