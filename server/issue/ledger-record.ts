/**
 * One line of what is kept of signatures: a state, not a step, so that a record read twice says nothing else than read once,
 * and the last one of a key counts. No key material and no certificate is in it.
 */
import { parseSpiffeId, type SpiffeId } from '../../spiffe/id.ts'

export const USE_KINDS = [
  'agent-svid',
  'workload-x509-svid',
  'minted-x509-svid',
  'workload-jwt-svid',
  'minted-jwt-svid',
  'downstream-ca',
  'server-svid',
] as const

export type UseKind = (typeof USE_KINDS)[number]

export type LedgerRecord =
  | {
      readonly kind: 'line'
      readonly key: string
      readonly use: UseKind
      readonly holder: SpiffeId
      readonly authorityId: string
      readonly expiresAt: Date
      readonly count: number
      /** Of the last one; undefined in what an earlier version kept. */
      readonly signedAt?: Date | undefined
    }
  | {
      readonly kind: 'agent-svid'
      readonly serialNumber: string
      readonly authorityId: string
      readonly expiresAt: Date
    }
  | { readonly kind: 'forgotten'; readonly authorityId: string; readonly expiresAt: Date }
  /** All that this authority has signed, and will sign, is among the records. */
  | { readonly kind: 'made'; readonly authorityId: string }
  | {
      readonly kind: 'activated'
      readonly authorityId: string
      readonly by: 'by-schedule' | 'by-hand'
    }

/** @returns one line, without its end */
export function formatRecord(record: LedgerRecord): string {
  return JSON.stringify(fieldsOf(record))
}

function fieldsOf(record: LedgerRecord): readonly unknown[] {
  const { kind, authorityId } = record
  switch (record.kind) {
    case 'line': {
      const { key, use, expiresAt, count, signedAt } = record
      const fields = [kind, key, use, record.holder, authorityId, expiresAt.getTime(), count]
      return signedAt === undefined ? fields : [...fields, signedAt.getTime()]
    }
    case 'agent-svid':
      return [kind, record.serialNumber, authorityId, record.expiresAt.getTime()]
    case 'forgotten':
      return [kind, authorityId, record.expiresAt.getTime()]
    case 'made':
      return [kind, authorityId]
    case 'activated':
      return [kind, authorityId, record.by]
    default:
      return record satisfies never
  }
}

/** By hand: a server with many workloads reads hundreds of thousands at its start. @throws Error when it is no record */
export function parseRecord(line: string): LedgerRecord {
  const fields: unknown = JSON.parse(line)
  if (!Array.isArray(fields)) throw noRecord()
  const length = LENGTHS.get(fields[0])
  const hasMoment = fields[0] === 'line' && fields.length === LINE_WITH_MOMENT
  if (fields.length !== length && !hasMoment) throw noRecord()
  const [kind, ...rest] = fields
  switch (kind) {
    case 'line': {
      const [key, use, holder, authorityId, expiresAt, count, signedAt] = rest
      return {
        ...{ kind, key: textOf(key), use: oneOf(USE_KINDS, use) },
        ...{ holder: parseSpiffeId(textOf(holder)), authorityId: textOf(authorityId) },
        ...{ expiresAt: dateOf(expiresAt), count: countOf(count) },
        ...(hasMoment ? { signedAt: dateOf(signedAt) } : {}),
      }
    }
    case 'agent-svid': {
      const [serialNumber, authorityId] = [textOf(rest[0]), textOf(rest[1])]
      return { kind, serialNumber, authorityId, expiresAt: dateOf(rest[2]) }
    }
    case 'forgotten':
      return { kind, authorityId: textOf(rest[0]), expiresAt: dateOf(rest[1]) }
    case 'made':
      return { kind, authorityId: textOf(rest[0]) }
    case 'activated':
      return { kind, authorityId: textOf(rest[0]), by: oneOf(['by-schedule', 'by-hand'], rest[1]) }
    default:
      throw noRecord()
  }
}

/** Fields of each kind, itself among them. */
const LENGTHS: ReadonlyMap<unknown, number> = new Map([
  ['line', 7],
  ['agent-svid', 4],
  ['forgotten', 3],
  ['made', 2],
  ['activated', 3],
])

/** What earlier versions kept lacks the moment of the last signature. */
const LINE_WITH_MOMENT = 8

const noRecord = () => new Error('a line is no record of a signing ledger')

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  throw noRecord()
}

function countOf(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value
  throw noRecord()
}

function dateOf(value: unknown): Date {
  const date = new Date(typeof value === 'number' ? value : Number.NaN)
  if (Number.isNaN(date.getTime())) throw noRecord()
  return date
}

function oneOf<T>(known: readonly T[], value: unknown): T {
  const found = known.find((one) => one === value)
  if (found !== undefined) return found
  throw noRecord()
}
