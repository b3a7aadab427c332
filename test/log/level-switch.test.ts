import { expect, test } from 'vitest'
import { createLevelSwitch } from '../../log/level-switch.ts'
import { memoryLog } from '../fakes/memory-log.ts'

test('a log and its children say no more than the level they were switched to', () => {
  const { log, lines } = memoryLog()
  const level = createLevelSwitch(log, 'DEBUG')
  const child = log.child({ component: 'ca' })
  const grandchild = child.child({ part: 'x' })
  const all = [log, child, grandchild]
  level.set('WARN')
  for (const one of all) {
    one.info('too little')
    one.warn('heard')
  }
  level.set('TRACE')
  for (const one of all) one.trace('heard')
  expect(lines.map(({ msg }) => msg)).toEqual(Array(6).fill('heard'))
  expect({ current: level.current(), launch: level.launch }).toEqual({
    current: 'TRACE',
    launch: 'DEBUG',
  })
})

test('panic and fatal are the same to the log, and told apart by who asks', () => {
  const { log } = memoryLog()
  const level = createLevelSwitch(log, 'INFO')
  for (const name of ['PANIC', 'FATAL'] as const) {
    level.set(name)
    expect([level.current(), log.level]).toEqual([name, 'fatal'])
  }
})

test('a log that is given children without end is a bug, and says so', () => {
  const { log } = memoryLog()
  createLevelSwitch(log, 'INFO')
  expect(() => {
    for (let made = 0; made <= 100; made += 1) log.child({})
  }).toThrow('a log has more than 100 children')
})
