/**
 * Checks the one form of date that the agent filters take, because a server ignores a date that it cannot read.
 * Refusals are those of Go's time.Parse.
 */
import { IdentityError } from '../../../spiffe/error.ts'
import { quote } from '../../output/go-quote.ts'

export const DATE_LAYOUT = '2006-01-02 15:04:05 -0700 -07'

interface Part {
  /** As the layout has it. */
  readonly layout: string
  readonly pattern: RegExp
  readonly range?: Range
}

interface Range {
  /** What is out of range when the number is. */
  readonly name: string
  readonly min: number
  readonly max: number
}

const literal = (layout: string): Part => ({ layout, pattern: new RegExp(`^${layout}`) })
/** However many; at the end, what is missing is told by the part after it. */
const space: Part = { layout: ' ', pattern: /^(?: +|$)/ }
const two = (layout: string, name: string, min: number, max: number): Part => ({
  layout,
  pattern: /^\d{2}/,
  range: { name, min, max },
})

/** Of the hours, which stand first: `+0530` has 5 of them. */
const OFFSET: Range = { name: 'time zone offset hour', min: -24, max: 24 }

const PARTS: readonly Part[] = [
  { layout: '2006', pattern: /^\d{4}/ },
  literal('-'),
  two('01', 'month', 1, 12),
  literal('-'),
  two('02', 'day', 1, 31),
  space,
  { layout: '15', pattern: /^\d{1,2}/, range: { name: 'hour', min: 0, max: 23 } },
  literal(':'),
  two('04', 'minute', 0, 59),
  literal(':'),
  { ...two('05', 'second', 0, 59), pattern: /^\d{2}(?:[.,]\d+)?/ },
  space,
  { layout: '-0700', pattern: /^[+-]\d{4}/, range: OFFSET },
  space,
  { layout: '-07', pattern: /^[+-]\d{2}/, range: OFFSET },
]

/** @throws IdentityError REQUEST_INVALID */
export function mustBeDate(text: string): void {
  const wrong = wrongWithDate(text)
  if (wrong === undefined) return
  throw new IdentityError(
    'REQUEST_INVALID',
    `date is not valid: parsing time ${quote(text)}${wrong}`,
  )
}

function wrongWithDate(text: string): string | undefined {
  let rest = text
  const numbers: number[] = []
  for (const { layout, pattern, range } of PARTS) {
    const found = pattern.exec(rest)?.[0]
    if (found === undefined) {
      return ` as ${quote(DATE_LAYOUT)}: cannot parse ${quote(rest)} as ${quote(layout)}`
    }
    const digits = range === OFFSET ? found.slice(0, 3) : found.replace(',', '.')
    const number = Math.trunc(Number(digits))
    if (range !== undefined && (number < range.min || number > range.max)) {
      return `: ${range.name} out of range`
    }
    numbers.push(number)
    rest = rest.slice(found.length)
  }
  if (rest !== '') return `: extra text: ${quote(rest)}`
  const [year = 0, , month = 1, , day = 1] = numbers
  const isDay = new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day
  return isDay ? undefined : ': day out of range'
}
