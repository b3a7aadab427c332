import { expect, test } from 'vitest'
import { z } from 'zod'
import { askProxy, readProxies } from '../../../cli/mtls/ask-proxy.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { openScriptedProxy } from './scripted-proxy.ts'

test('a proxy that never answers is given up after ten seconds', async () => {
  await using proxy = await openScriptedProxy(() => {})
  const clock = new FakeClock()
  const [address] = readProxies([proxy.address])
  if (address === undefined) throw new Error('there is no address')
  const terminal = { env: {}, print: () => {}, complain: () => {}, readInput: async () => '' }
  const asking = askProxy(
    address,
    { method: 'GET', page: '/', form: z.unknown() },
    { terminal, clock },
  )
  await expect.poll(() => proxy.asked.length).toBe(1)
  clock.advance(10_000)
  await expect(asking).rejects.toThrow(`${proxy.address}: no answer within 10 s`)
})

test('more proxies than one command should ask are refused', () => {
  const many = Array.from({ length: 1_001 }, () => 'unix:/a')
  expect(() => readProxies(many)).toThrow('1001 proxies are named, expected at most 1000')
})

test('an answer that is cut off is no answer', async () => {
  await using proxy = await openScriptedProxy((response) => {
    response.writeHead(200, { 'content-length': '100' })
    response.write('{"a":')
    response.socket?.destroySoon()
  })
  const [address] = readProxies([proxy.address])
  if (address === undefined) throw new Error('there is no address')
  const terminal = { env: {}, print: () => {}, complain: () => {}, readInput: async () => '' }
  const session = { terminal, clock: new FakeClock() }
  const asking = askProxy(address, { method: 'GET', page: '/', form: z.unknown() }, session)
  await expect(asking).rejects.toThrow('aborted')
})
