import { expect, test } from 'vitest'
import { IdentityError } from '../../spiffe/error.ts'
import { NO_METRICS, statusName } from '../../telemetry/metrics.ts'
import { openMetrics } from '../../telemetry/open-metrics.ts'
import { FakeClock } from '../fakes/clock.ts'

function open() {
  const clock = new FakeClock()
  const metrics = openMetrics({ prefix: 'spire_server', labels: { host: 'h' }, clock })
  const lines = async () =>
    (await metrics.text()).split('\n').filter((line) => line.startsWith('spire_server_'))
  return { clock, metrics, lines }
}

test('there is no series before its first value', async () => {
  expect(await open().lines()).toEqual([])
})

test('a call is a counter and a summary of its milliseconds, by how it ended', async () => {
  const { clock, metrics, lines } = open()
  const ended = metrics.call('rpc_x')
  clock.advance(7)
  ended()
  metrics.call('rpc_x')(new IdentityError('NOT_AUTHORIZED', 'no'))
  expect(await lines()).toEqual(
    expect.arrayContaining([
      'spire_server_rpc_x{status="OK",host="h"} 1',
      'spire_server_rpc_x{status="PermissionDenied",host="h"} 1',
      'spire_server_rpc_x_elapsed_time{quantile="0.5",status="OK",host="h"} 7',
      'spire_server_rpc_x_elapsed_time_sum{status="OK",host="h"} 7',
      'spire_server_rpc_x_elapsed_time_count{status="OK",host="h"} 1',
    ]),
  )
})

test('a clock that was set back makes no negative time', async () => {
  const { clock, metrics, lines } = open()
  const ended = metrics.call('x')
  clock.advance(-60_000)
  ended()
  expect(await lines()).toContain('spire_server_x_elapsed_time_sum{status="OK",host="h"} 0')
})

test('measuring gives back what was done, or its error, and counts either', async () => {
  const { metrics, lines } = open()
  expect(await metrics.measure('x', async () => 1, { attestor: 'unix' })).toBe(1)
  const failing = metrics.measure('x', () => Promise.reject(new Error('bug')), { attestor: 'unix' })
  await expect(failing).rejects.toThrow('bug')
  expect(await lines()).toEqual(
    expect.arrayContaining([
      'spire_server_x{attestor="unix",status="OK",host="h"} 1',
      'spire_server_x{attestor="unix",status="Unknown",host="h"} 1',
    ]),
  )
})

test('a gauge is read when it is asked for, and a sum goes up and down', async () => {
  const { metrics, lines } = open()
  let size = 1
  metrics.gauge('size', () => size)
  metrics.add('connections', 1)
  metrics.add('connections', 1)
  metrics.add('connections', -1)
  metrics.sample('selectors', 4)
  metrics.count('rotated')
  size = 5
  expect(await lines()).toEqual(
    expect.arrayContaining([
      'spire_server_size{host="h"} 5',
      'spire_server_connections{host="h"} 1',
      'spire_server_selectors_sum{host="h"} 4',
      'spire_server_rotated{host="h"} 1',
    ]),
  )
})

test('names of other programs stay as they are, beside our own of the same process', async () => {
  const { metrics } = open()
  metrics.unprefixed().count('citadel_server_csr_count')
  metrics.unprefixed().count('citadel_server_csr_count')
  expect(await metrics.text()).toMatch(/^citadel_server_csr_count\b.* 2$/m)
  expect(() => metrics.unprefixed().sample('citadel_server_csr_count', 1)).toThrow(/another kind/)
})

test('a name means one kind of metric only', () => {
  const { metrics } = open()
  metrics.count('x')
  expect(() => metrics.sample('x', 1)).toThrow('the metric spire_server_x has another kind already')
})

test('a process that nobody measures does its work all the same', async () => {
  expect(await NO_METRICS.measure('x', async () => 1)).toBe(1)
  NO_METRICS.call('x')(new Error('whatever'))
  NO_METRICS.gauge('x', () => expect.unreachable('nobody reads it'))
})

test.for([
  ['OK', undefined],
  ['PermissionDenied', new IdentityError('AGENT_BANNED', '')],
  ['InvalidArgument', new IdentityError('REQUEST_INVALID', '')],
  ['NotFound', new IdentityError('NOT_FOUND', '')],
  ['FailedPrecondition', new IdentityError('PRECONDITION_FAILED', '')],
  ['ResourceExhausted', new IdentityError('RATE_LIMITED', '')],
  ['Canceled', new IdentityError('CANCELED', '')],
  ['Unknown', new Error('bug')],
] as const)('a call ends with %s, as Go writes it', ([name, error]) => {
  expect(statusName(error)).toBe(name)
})
