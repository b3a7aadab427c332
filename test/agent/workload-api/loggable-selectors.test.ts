import { expect, test } from 'vitest'
import { loggableBy } from '../../../agent/workload-api/loggable-selectors.ts'
import { parseSelector } from '../../../spiffe/selector.ts'

test.for([
  [[], 'unix:uid:0', false],
  [['unix'], 'unix:uid:0', true],
  [['unix:uid'], 'unix:uid:0', true],
  [['unix:uid:0'], 'unix:uid:0', true],
  [['unix:ui'], 'unix:uid:0', false],
  [['unix:uid:'], 'unix:uid:0', false],
  [['unix:uid:00'], 'unix:uid:0', false],
  [['k8s:ns', 'unix:gid'], 'unix:gid:7', true],
  [[''], 'unix:uid:0', false],
] as const)('with %s in log_selectors, %s may be logged: %s', ([named, selector, may]) => {
  expect(loggableBy(named)(parseSelector(selector))).toBe(may)
})
