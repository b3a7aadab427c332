/** The kind of database: `sqlite3` or `postgres`. SPIRE's other kinds are refused by name, with the reason. */
import { showKind, showText } from '../../config/tree.ts'
import { type Value, value } from '../../config/value.ts'

export type DatabaseType = 'sqlite3' | 'postgres'

const NOT_OFFERED: Readonly<Record<string, string>> = {
  mysql: 'several servers share PostgreSQL alone, whose locks and notifications they rely on',
  aws_mysql: 'several servers share PostgreSQL alone, whose locks and notifications they rely on',
  aws_postgres:
    'logins by AWS IAM are not made; give postgres a password or a client certificate of the database',
}

export function databaseType(): Value<DatabaseType> {
  return value<DatabaseType>((node) => {
    // SPIRE writes the kinds with a login of a cloud as blocks: database_type "aws_mysql" { … }.
    const name = node.kind === 'object' ? node.members[0]?.key : undefined
    const written = node.kind === 'string' ? node.value : name
    if (node.kind === 'string' && (written === 'sqlite3' || written === 'postgres')) {
      return { kind: 'value', value: written }
    }
    if (written === '') return { kind: 'unset' }
    if (written === undefined) return { kind: 'wrong', message: `is ${showKind(node)}` }
    const reason = Object.hasOwn(NOT_OFFERED, written) ? NOT_OFFERED[written] : undefined
    if (reason !== undefined) {
      return { kind: 'wrong', message: `${showText(written)} is not offered: ${reason}` }
    }
    const form = node.kind === 'object' ? ', written as a block' : ''
    return { kind: 'wrong', message: `is ${showText(written)}${form}` }
  }, 'sqlite3 or postgres')
}
