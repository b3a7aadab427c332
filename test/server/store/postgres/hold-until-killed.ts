/**
 * A server that does nothing but hold a turn. While it may, it prints `WORK` and a moment, which was read before it asked
 * whether it still may; moments of all processes of a machine are of one clock.
 */
import { writeSync } from 'node:fs'
import { hrtime } from 'node:process'
import { systemClock } from '../../../../spiffe/clock.ts'
import { turnsAt } from './turns-under-test.ts'

const [host = '', port = '', database = '', holder = ''] = process.argv.slice(2)
const stdout = 1
const PAUSE_MS = 5

await turnsAt({ host, port: Number(port), database }, holder).hold(
  'a',
  async ({ signal, mustHold }) => {
    while (!signal.aborted) {
      const moment = hrtime.bigint()
      try {
        mustHold()
      } catch {
        break
      }
      writeSync(stdout, `WORK ${moment}\n`)
      await systemClock.sleep(PAUSE_MS, signal)
    }
    writeSync(stdout, 'STOPPED\n')
  },
  new AbortController().signal,
)
