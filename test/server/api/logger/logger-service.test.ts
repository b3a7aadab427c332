import { status } from '@grpc/grpc-js'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Logger } from '../../../../proto/gen/spire/api/types/Logger.ts'
import type { LogLevelInput } from '../../../../proto/gen/spire/api/types/LogLevel.ts'
import { type Clients, call, startTestServer, type TestServer } from '../../running-server.ts'

let server: TestServer
let logger: Clients['logger']
beforeEach(async () => {
  server = await startTestServer()
  logger = server.admin.logger
})
afterEach(() => server[Symbol.asyncDispose]())

const get = () => call<Logger>((done) => logger.GetLogger({}, done))
const set = (new_level?: LogLevelInput) =>
  call<Logger>((done) => logger.SetLogLevel(new_level === undefined ? {} : { new_level }, done))

/** Any refusal is logged as a warning. */
const causeWarning = () =>
  call((done) => server.admin.entry.GetEntry({ id: '' }, done)).catch(() => undefined)
const warnings = () => server.lines.filter(({ msg }) => msg === 'Call refused').length

test('the level is changed while the server runs, and put back to the one it was started with', async () => {
  expect(await get()).toEqual({ current_level: 'DEBUG', launch_level: 'DEBUG' })
  expect(await set('ERROR')).toEqual({ current_level: 'ERROR', launch_level: 'DEBUG' })
  await causeWarning()
  expect(warnings()).toBe(0)
  expect(await get()).toEqual({ current_level: 'ERROR', launch_level: 'DEBUG' })
  expect(await call<Logger>((done) => logger.ResetLogLevel({}, done))).toEqual({
    current_level: 'DEBUG',
    launch_level: 'DEBUG',
  })
  await causeWarning()
  expect(warnings()).toBe(1)
})

test.for(['PANIC', 'FATAL', 'ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE'] as const)(
  '%s is a level',
  async (level) => {
    expect(await set(level)).toEqual({ current_level: level, launch_level: 'DEBUG' })
  },
)

test('what is no level changes nothing', async () => {
  await expect(set()).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: 'newLevel value cannot be LogLevel_UNSPECIFIED',
  })
  // Cast: a number that is no level can be sent all the same.
  await expect(set(99 as LogLevelInput)).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: 'unsupported log level',
  })
  expect(await get()).toEqual({ current_level: 'DEBUG', launch_level: 'DEBUG' })
})

test('nobody changes the level over TCP', async () => {
  const clients = await server.connect()
  await expect(
    call((done) => clients.logger.SetLogLevel({ new_level: 'PANIC' }, done)),
  ).rejects.toMatchObject({ code: status.UNIMPLEMENTED })
  expect((await get()).current_level).toBe('DEBUG')
})
