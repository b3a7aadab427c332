/** The kind of database: `sqlite3`. SPIRE's other kinds are refused by name. */
import { showKind, showText } from '../../config/tree.ts'
import { type Value, value } from '../../config/value.ts'

const PLANNED: ReadonlySet<string> = new Set(['postgres', 'mysql', 'aws_postgres', 'aws_mysql'])

export function databaseType(): Value<'sqlite3'> {
  return value<'sqlite3'>((node) => {
    // SPIRE writes the kinds with a login of a cloud as blocks: database_type "aws_mysql" { … }.
    const name = node.kind === 'object' ? node.members[0]?.key : undefined
    const written = node.kind === 'string' ? node.value : name
    if (written === 'sqlite3' && node.kind === 'string') return { kind: 'value', value: 'sqlite3' }
    if (written === '') return { kind: 'unset' }
    if (written === undefined) return { kind: 'wrong', message: `is ${showKind(node)}` }
    const message = PLANNED.has(written)
      ? `${showText(written)} is not implemented yet`
      : `is ${showText(written)}`
    return { kind: 'wrong', message }
  }, 'sqlite3')
}
