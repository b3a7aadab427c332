import { expect, test } from 'vitest'
import { openRelay, openRelayedLog } from '../../log/relayed-log.ts'
import { memoryLog } from '../fakes/memory-log.ts'

function start(level = 'debug') {
  const { log, lines } = memoryLog()
  const relayed = openRelayedLog(level, openRelay(log, { worker: 2 }))
  return { relayed, lines }
}

test('a line keeps its level and fields, and says which worker wrote it', () => {
  const { relayed, lines } = start()
  relayed.child({ component: 'policies' }).warn({ port: 80 }, 'Denied')
  expect(lines).toMatchObject([
    { level: 'warn', msg: 'Denied', component: 'policies', port: 80, worker: 2 },
  ])
})

test('an error keeps its words and its stack', () => {
  const { relayed, lines } = start()
  relayed.error({ err: new TypeError('not a function') }, 'A tunnel could not be opened')
  expect(lines[0]?.err).toMatchObject({
    ...{ type: 'TypeError', message: 'not a function', stack: expect.stringContaining('at ') },
  })
})

test('what is below the level is not sent', () => {
  const { relayed, lines } = start('warn')
  relayed.info('Policy changed')
  relayed.debug('looked')
  expect(lines).toEqual([])
})

test('a worker cannot name another worker, nor break a line in two', () => {
  const { relayed, lines } = start()
  relayed.info({ worker: 1, reason: 'one\n{"level":"fatal"}' }, 'Refused')
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatchObject({ level: 'info', worker: 2, reason: 'one\n{"level":"fatal"}' })
})
