import { expect, test } from 'vitest'
import { openTurns } from '../../../server/store/sqlite/turns.ts'
import type { Turns } from '../../../server/store/turns.ts'
import { observeTurns } from '../../../server/telemetry/observe-turns.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import { openMetrics } from '../../../telemetry/open-metrics.ts'
import { memoryLog } from '../../fakes/memory-log.ts'

function start(isShared: boolean) {
  const { log, lines } = memoryLog()
  const metrics = openMetrics({ prefix: 'spire_server', labels: {}, clock: systemClock })
  const turns = observeTurns({ ...openTurns(systemClock), isShared }, { log, metrics })
  return { turns, lines, metrics, signal: new AbortController().signal }
}

test('the beginning and the end of a turn are logged and counted', async () => {
  const { turns, lines, metrics, signal } = start(true)
  let during = ''
  await turns.hold(
    'prune',
    async () => {
      during = await metrics.text()
    },
    signal,
  )
  expect(during).toContain('spire_server_turns_held 1\n')
  expect(during).toContain('spire_server_turn_begun{turn="prune"} 1\n')
  const after = await metrics.text()
  expect(after).toContain('spire_server_turns_held 0\n')
  expect(after).toContain('spire_server_turn_ended{turn="prune"} 1\n')
  expect(lines.map(({ msg, turn }) => [msg, turn])).toEqual([
    ['Turn begins', 'prune'],
    ['Turn is over', 'prune'],
  ])
})

test.each([
  [
    'is lost is told at once',
    false,
    ['Turn begins', 'Turn is lost', 'the work ends', 'Turn is over'],
  ],
  ['nobody wants any more is not lost', true, ['Turn begins', 'the work ends', 'Turn is over']],
])('a turn that %s', async (_, isStopped, said) => {
  const { log, lines } = memoryLog()
  const metrics = openMetrics({ prefix: 'spire_server', labels: {}, clock: systemClock })
  const [lost, stop] = [new AbortController(), new AbortController()]
  const turn = { signal: lost.signal, mustHold: () => {} }
  const inner: Turns = {
    ...{ ...openTurns(systemClock), isShared: true },
    hold: async (_name, work) => await work(turn),
  }
  const work = async () => {
    if (isStopped) stop.abort()
    lost.abort()
    log.info('the work ends')
  }
  await observeTurns(inner, { log, metrics }).hold('prune', work, stop.signal)
  expect(lines.map(({ msg }) => msg)).toEqual(said)
})

test('work that fails ends its turn as well', async () => {
  const { turns, metrics, signal } = start(true)
  const failing = turns.hold('prune', () => Promise.reject(new Error('no luck')), signal)
  await expect(failing).rejects.toThrow('no luck')
  expect(await metrics.text()).toContain('spire_server_turns_held 0\n')
})

test('where one server has the store for itself nothing is said', async () => {
  const { turns, lines, metrics, signal } = start(false)
  await turns.hold('prune', async () => {}, signal)
  expect(lines).toEqual([])
  expect(await metrics.text()).not.toContain('turn')
})
