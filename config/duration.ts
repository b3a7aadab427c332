/**
 * Durations as Go writes them, because SPIRE's files and flags carry them: `1h30m`, `10s`, `1.5h`.
 * Refuses what Go refuses: a number without a unit, days, anything beyond 63 bits of nanoseconds.
 */
import { IdentityError } from '../spiffe/error.ts'
import { showText } from './tree.ts'

const NANOSECONDS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}

const MAX_NANOSECONDS = 2n ** 63n - 1n

/** Enough for any duration that fits; keeps the arithmetic on the digits bounded. */
const MAX_DURATION_CHARS = 128

const TERM = /(\d*)(\.(\d*))?([^\d.]+)/y

/**
 * Reads a duration into milliseconds; nanoseconds become fractions.
 * @throws IdentityError CONFIG_INVALID saying which part is wrong
 */
export function parseDurationMs(text: string): number {
  const refuse = (why: string): never => {
    throw new IdentityError('CONFIG_INVALID', `${showText(text)} is not a duration: ${why}`)
  }
  if (text.length > MAX_DURATION_CHARS) refuse('it is too long')
  const negative = text.startsWith('-')
  const body = text.replace(/^[+-]/, '')
  if (body === '0') return 0
  if (body === '') refuse('it is empty')
  let total = 0n
  let offset = 0
  while (offset < body.length) {
    TERM.lastIndex = offset
    const term = TERM.exec(body)
    if (term === null)
      return refuse(/^[\d.]+$/.test(body.slice(offset)) ? 'its unit is missing' : 'it is malformed')
    const [whole, digits = '', point, fraction = '', unitName = ''] = term
    if (digits === '' && fraction === '') refuse('a unit has no number')
    const unit = Object.hasOwn(NANOSECONDS, unitName) ? NANOSECONDS[unitName] : undefined
    if (unit === undefined) return refuse(`unknown unit ${showText(unitName)}`)
    total += BigInt(digits || '0') * unit
    if (point !== undefined)
      total += (BigInt(fraction || '0') * unit) / 10n ** BigInt(fraction.length)
    if (total > MAX_NANOSECONDS + (negative ? 1n : 0n)) refuse('it is too long')
    offset += whole.length
  }
  const ms = Number(total / 1_000_000n) + Number(total % 1_000_000n) / 1e6
  return negative ? -ms : ms
}

/** Writes milliseconds as Go prints a duration: `1h0m0s`, `1.5s`, `250ms`, `0s`. */
export function formatDuration(ms: number): string {
  const whole = Math.trunc(ms)
  const signed = BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1e6))
  if (signed === 0n) return '0s'
  const sign = signed < 0n ? '-' : ''
  const nanoseconds = signed < 0n ? -signed : signed
  if (nanoseconds < 1_000n) return `${sign}${nanoseconds}ns`
  if (nanoseconds < 1_000_000n) return `${sign}${decimal(nanoseconds, 1_000n)}µs`
  if (nanoseconds < 1_000_000_000n) return `${sign}${decimal(nanoseconds, 1_000_000n)}ms`
  const minutes = nanoseconds / 60_000_000_000n
  const seconds = `${decimal(nanoseconds % 60_000_000_000n, 1_000_000_000n)}s`
  if (minutes === 0n) return `${sign}${seconds}`
  return minutes < 60n
    ? `${sign}${minutes}m${seconds}`
    : `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`
}

/** `value / unit` with as many decimals as it needs; `unit` is a power of ten. */
function decimal(value: bigint, unit: bigint): string {
  const fraction = (value % unit).toString().padStart(unit.toString().length - 1, '0')
  const trimmed = fraction.replace(/0+$/, '')
  return trimmed === '' ? `${value / unit}` : `${value / unit}.${trimmed}`
}
