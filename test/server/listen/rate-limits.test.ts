import { Metadata } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import type { Call } from '../../../proto/serve.ts'
import type { Caller } from '../../../server/listen/caller.ts'
import { type Limit, limitPerIp, openRateLimits } from '../../../server/listen/rate-limits.ts'
import { FakeClock } from '../../fakes/clock.ts'

const from = (ip: string, signal = new AbortController().signal): Call<Caller> => ({
  caller: { kind: 'anonymous', ip, port: 1 },
  method: '/x',
  metadata: new Metadata(),
  signal,
})
const local: Call<Caller> = {
  ...from(''),
  caller: { kind: 'unix', pid: 1, uid: 0, gid: 0, isAlive: () => true },
}

/** Which of the calls have had their turn by now. */
async function served(limit: Limit, calls: readonly Call<Caller>[]) {
  const done = calls.map(() => false)
  const all = calls.map((call, at) =>
    limit(call, 1).then(() => {
      done[at] = true
    }),
  )
  await Promise.resolve()
  return { done, all }
}

test('a caller beyond the limit waits for its turn, and then gets it', async () => {
  const clock = new FakeClock()
  const limit = limitPerIp({ perSecond: 1 }, clock)
  const { done, all } = await served(limit, [from('192.0.2.1'), from('192.0.2.1')])
  expect(done).toEqual([true, false])
  await clock.sleepers(1)
  clock.advance(999)
  expect(done).toEqual([true, false])
  clock.advance(1)
  await Promise.all(all)
})

test('one client does not make another wait', async () => {
  const limit = limitPerIp({ perSecond: 1 }, new FakeClock())
  const { done } = await served(limit, [from('192.0.2.1'), from('192.0.2.2'), from('2001:db8::1')])
  expect(done).toEqual([true, true, true])
})

test('callers on the admin socket never wait', async () => {
  const limit = limitPerIp({ perSecond: 1 }, new FakeClock())
  const { done } = await served(limit, [local, local, local])
  expect(done).toEqual([true, true, true])
})

test('a batch that no bucket can hold is refused at once', async () => {
  const limit = limitPerIp({ perSecond: 500 }, new FakeClock())
  await expect(limit(from('192.0.2.1'), 501)).rejects.toMatchObject({
    code: 'RATE_LIMITED',
    message: 'rate (501) exceeds burst size (500)',
  })
  await limit(from('192.0.2.1'), 500)
})

test('whoever would wait longer than any caller does is refused, so that waiting calls stay few', async () => {
  const clock = new FakeClock()
  const limit = limitPerIp({ perSecond: 1 }, clock)
  const waiting = Array.from({ length: 61 }, () => limit(from('192.0.2.1'), 1))
  await expect(limit(from('192.0.2.1'), 1)).rejects.toMatchObject({ code: 'RATE_LIMITED' })
  for (let second = 0; second < 60; second++) clock.advance(1_000)
  await Promise.all(waiting)
})

test('a caller that goes away while it waits gives its turn to the next one', async () => {
  const clock = new FakeClock()
  const limit = limitPerIp({ perSecond: 1 }, clock)
  const gone = new AbortController()
  await limit(from('192.0.2.1'), 1)
  const leaving = limit(from('192.0.2.1', gone.signal), 1)
  gone.abort()
  await expect(leaving).rejects.toMatchObject({ code: 'CANCELED' })
  clock.advance(1_000)
  const { done } = await served(limit, [from('192.0.2.1')])
  expect(done).toEqual([true])
})

test('switched off, attestation and signing have no limit at all; the status limit stays', async () => {
  const clock = new FakeClock()
  const limits = openRateLimits({ attestation: false, signing: false }, clock)
  const calls = Array.from({ length: 20 }, () => from('192.0.2.1'))
  expect((await served(limits.attestation, calls)).done).not.toContain(false)
  await limits.signX509(from('192.0.2.1'), 10_000)
  const { done } = await served(limits.postStatus, calls)
  expect(done.filter(Boolean)).toHaveLength(10)
})

test('X.509 and JWT signing have buckets of their own', async () => {
  const limits = openRateLimits({ attestation: true, signing: true }, new FakeClock())
  await limits.signX509(from('192.0.2.1'), 500)
  await limits.signJwt(from('192.0.2.1'), 500)
  await limits.signWit(from('192.0.2.1'), 500)
})

test('a client keeps its debt while others come and go', async () => {
  const clock = new FakeClock()
  const limit = limitPerIp({ perSecond: 1 }, clock)
  await limit(from('192.0.2.1'), 1)
  for (let n = 0; n < 1_000; n++) await limit(from(`198.51.100.${n}`), 1)
  const { done } = await served(limit, [from('192.0.2.1')])
  expect(done).toEqual([false])
})
