/** The unit of a process, asked over a bus whose every byte a test says. */
import { expect, test } from 'vitest'
import { systemdAttestor } from '../../../../agent/attest/systemd/systemd-attestor.ts'
import { connectBus } from '../../../../agent/dbus/connection.ts'
import type { UnixCaller } from '../../../../proto/peer-credentials.ts'
import { systemClock } from '../../../../spiffe/clock.ts'
import { FakeClock } from '../../../fakes/clock.ts'
import { makeMessage, textBody, values, variantBody } from '../../dbus/bus-messages.ts'
import { type BusCall, type FakeBus, returning, startFakeBus } from '../../dbus/fake-bus.ts'

const caller: UnixCaller = { kind: 'unix', pid: 4711, uid: 0, gid: 0, isAlive: () => true }
const { signal } = new AbortController()
const UNIT = '/org/freedesktop/systemd1/unit/nginx_2eservice'

const bus = (path: string, clock = systemClock) =>
  connectBus({ socketPath: path, ownUid: process.getuid?.() ?? 0, clock })
const attestorAt = ({ path }: FakeBus) => systemdAttestor({ connect: () => bus(path) })

/** As systemd answers of one process. */
function systemd(id: string, fragmentPath: string) {
  return ({ serial, bytes, reply }: BusCall) => {
    const text = bytes.toString('latin1')
    if (text.includes('GetUnitByPID')) {
      const isKnown = bytes.readUInt32LE(bytes.length - 4) === caller.pid
      if (isKnown) reply(returning(serial, UNIT))
      else {
        reply(
          makeMessage({
            ...{ type: 3, replyTo: serial, signature: 's' },
            errorName: 'org.freedesktop.systemd1.NoUnitForPID',
            body: textBody('PID 4712 does not belong to any loaded unit.'),
          }),
        )
      }
      return
    }
    const value = text.includes('FragmentPath') ? fragmentPath : id
    reply(makeMessage({ type: 2, replyTo: serial, signature: 'v', body: variantBody(value) }))
  }
}

test('tells the unit and the file that it was read from', async () => {
  const answer = systemd('nginx.service', '/lib/systemd/system/nginx.service')
  await using fake = await startFakeBus({ answer })
  expect(await attestorAt(fake).attest(caller, signal)).toEqual([
    'systemd:id:nginx.service',
    'systemd:fragment_path:/lib/systemd/system/nginx.service',
  ])
})

test('a unit without a file has an empty path, as with SPIRE', async () => {
  await using fake = await startFakeBus({ answer: systemd('session-2.scope', '') })
  expect(await attestorAt(fake).attest(caller, signal)).toContain('systemd:fragment_path:')
})

test('one connection serves all callers, and a broken one is replaced', async () => {
  const answer = systemd('a.service', '/a')
  let breaks = false
  await using fake = await startFakeBus({
    answer: (call) => (breaks ? call.socket.destroy() : answer(call)),
  })
  const attestor = attestorAt(fake)
  await Promise.all([1, 2, 3].map(() => attestor.attest(caller, signal)))
  expect(fake.connections).toBe(1)
  breaks = true
  await expect(attestor.attest(caller, signal)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(/failed to get unit by pid 4711: .*closed the connection/),
  })
  breaks = false
  expect(await attestor.attest(caller, signal)).toHaveLength(2)
  expect(fake.connections).toBe(2)
})

test('a process that belongs to no unit is a failure with systemd’s reason', async () => {
  await using fake = await startFakeBus({ answer: systemd('a', '/a') })
  const stranger = { ...caller, pid: 4712 }
  await expect(attestorAt(fake).attest(stranger, signal)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(
      /failed to get unit by pid 4712: .*refused GetUnitByPID: .*NoUnitForPID: PID 4712 does not/,
    ),
  })
})

test.for([
  [
    'a bus that refuses us',
    { welcome: 'REJECTED EXTERNAL\r\n' },
    /refused us: "REJECTED EXTERNAL"/,
  ],
  ['a bus that never ends its line', { welcome: 'OK'.repeat(2000) }, /endless line/],
  ['a bus that talks of something else', { welcome: 'HTTP/1.1 400 Bad\r\n' }, /refused us/],
  [
    'a unit that is a number',
    {
      answer: ({ serial, reply }: BusCall) =>
        reply(
          makeMessage({ type: 2, replyTo: serial, signature: 'u', body: values().u(1).bytes() }),
        ),
    },
    /systemd named none/,
  ],
  [
    'a message that is none',
    { answer: ({ reply }: BusCall) => reply(Buffer.alloc(64, 0x78)) },
    /sent what is no message/,
  ],
  [
    'a message without end',
    {
      answer: ({ reply }: BusCall) => {
        const header = Buffer.from([0x6c, 2, 0, 1, 0, 0, 0, 0x7f, 1, 0, 0, 0, 0, 0, 0, 0])
        reply(header)
      },
    },
    /a message of \d+ bytes/,
  ],
] as const)('refuses %s', async ([, options, message]) => {
  await using fake = await startFakeBus(options)
  await expect(attestorAt(fake).attest(caller, signal)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(message),
  })
})

test('signals, and replies to nobody, are passed over', async () => {
  const answer = systemd('a.service', '/a')
  await using fake = await startFakeBus({
    answer: (call) => {
      call.reply(makeMessage({ type: 4, signature: 'u', body: values().u(1).bytes() }))
      call.reply(returning(9999, 'forged'))
      answer(call)
    },
  })
  expect(await attestorAt(fake).attest(caller, signal)).toContain('systemd:id:a.service')
})

test('a bus that is silent is given up, with all that wait for it', async () => {
  const clock = new FakeClock()
  await using fake = await startFakeBus({})
  const connection = await bus(fake.path, clock)
  const call = { destination: 'a.b', path: '/', interface: 'a.b', member: 'M', args: [] }
  const calls = [connection.call(call), connection.call(call)]
  for (const one of calls) one.catch(() => {})
  await clock.sleepers(2)
  clock.advance(10_000)
  for (const one of calls) {
    await expect(one).rejects.toMatchObject({ message: expect.stringMatching(/within 10 s/) })
  }
  expect(connection.isOpen).toBe(false)
})

test('a bus that is not there is named by its socket', async () => {
  const attestor = systemdAttestor({ connect: () => bus('/nowhere/bus') })
  await expect(attestor.attest(caller, signal)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(/message bus at \/nowhere\/bus: .*ENOENT/),
  })
})

test('the connection ends with the agent', async () => {
  await using fake = await startFakeBus({ answer: systemd('a', '/a') })
  const attestor = attestorAt(fake)
  await attestor.attest(caller, signal)
  expect(fake.open).toBe(1)
  const stop = new AbortController()
  const following = attestor.follow?.(stop.signal)
  stop.abort()
  await following
  await expect.poll(() => fake.open).toBe(0)
})
