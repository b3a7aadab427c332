/** `steeple bundle doctor`: when everything that vouches for somebody ends, what is wrong, and what breaks first. */
import { unixSeconds } from '../../spiffe/clock.ts'
import { defineCommand } from '../command.ts'
import type { Json } from '../output/go-json.ts'
import { formatSeconds, formatUtc } from '../output/go-time.ts'
import { printJson } from '../output/print.ts'
import { connectServer } from '../rpc/endpoint.ts'
import { operatorFlags } from '../server/flags.ts'
import { examineServer } from './ask-server.ts'
import { type End, type Examined, exitCodeOf, firstToBreak } from './examination.ts'

export const doctor = defineCommand({
  summary: 'Tell when authorities, bundles and SVIDs end, what is wrong, and what breaks first',
  details:
    'Exit code 0: nothing is wrong; 2: something soon will be; 1: something is, or the server cannot be asked.',
  examples: ['bundle doctor', 'bundle doctor -output json'],
  flags: operatorFlags,
  async run({ output, ...socket }, { terminal, clock }) {
    using server = connectServer(socket, { terminal, clock })
    const now = clock.now()
    const examined = await examineServer(server, now)
    if (output === 'json') printJson(terminal, toJson(examined, now))
    else terminal.print(toText(examined, now))
    return exitCodeOf(examined.findings)
  },
})

const inOrder = (ends: readonly End[]) => ends.toSorted((a, b) => a.at.getTime() - b.at.getTime())

function toText({ findings, ends }: Examined, now: Date): string {
  const told = findings.map(
    ({ severity, subject, problem, remedy }) =>
      `${severity.toUpperCase()}: ${subject}: ${problem}\n  To do: ${remedy}\n`,
  )
  const calendar = inOrder(ends).map(
    ({ subject, at }) => `  ${formatUtc(at)}  ${distance(at, now)}  ${subject}\n`,
  )
  const first = firstToBreak(ends, now)
  const breaks =
    first === undefined
      ? ''
      : `\nUnless it is renewed, ${first.subject} breaks first, ${distance(first.at, now)}: ${first.breaks}\n`
  const head = told.length === 0 ? 'Nothing is wrong\n' : told.join('')
  return `${head}\nCalendar:\n${calendar.join('')}${breaks}`
}

function distance(at: Date, now: Date): string {
  const seconds = unixSeconds(at) - unixSeconds(now)
  return seconds > 0 ? `in ${formatSeconds(seconds)}` : 'past'
}

function toJson({ findings, ends }: Examined, now: Date): Json {
  const first = firstToBreak(ends, now)
  const endJson = ({ subject, at, breaks }: End) => ({ subject, ends_at: unixSeconds(at), breaks })
  return {
    findings: findings.map((finding) => ({ ...finding })),
    calendar: inOrder(ends).map(endJson),
    breaks_first: first === undefined ? null : endJson(first),
  }
}
