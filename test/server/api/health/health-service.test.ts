import { Metadata, status } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import type { HealthCheckResponse } from '../../../../proto/gen/grpc/health/v1/HealthCheckResponse.ts'
import type { Call } from '../../../../proto/serve.ts'
import { healthService } from '../../../../server/api/health/health-service.ts'
import type { Caller } from '../../../../server/listen/caller.ts'
import { IdentityError } from '../../../../spiffe/error.ts'
import { memoryLog } from '../../../fakes/memory-log.ts'
import { type Clients, call, startTestServer, trustDomain } from '../../running-server.ts'

const localCall: Call<Caller> = {
  caller: { kind: 'unix', pid: 1, uid: 0, gid: 0, isAlive: () => true },
  method: '/grpc.health.v1.Health/Check',
  metadata: new Metadata(),
  signal: new AbortController().signal,
}

const check = ({ health }: Clients, service = '') =>
  call<HealthCheckResponse>((done) => health.Check({ service }, done))

test('health is answered on the admin socket, for the server as a whole, and not on the port', async () => {
  await using server = await startTestServer()
  expect(await check(server.admin)).toEqual({ status: 'SERVING' })
  await expect(check(server.admin, 'spire.api.server.entry.v1.Entry')).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: 'per-service health is not supported',
  })
  await expect(check(await server.connect())).rejects.toMatchObject({ code: status.UNIMPLEMENTED })
})

const missing = async (): Promise<undefined> => undefined
const locked = async (): Promise<undefined> => {
  throw new IdentityError('UNAVAILABLE', 'database is locked')
}

test.for([
  ['the bundle is missing', missing, 'bundle is missing'],
  ['the store does not answer', locked, 'unable to fetch bundle: database is locked'],
] as const)('the server is not serving when %s, and the log says so', async ([, find, reason]) => {
  const { log, lines } = memoryLog()
  const { Check } = healthService({ trustDomain, bundles: { find }, log })
  expect(await Check?.({ service: '' }, localCall)).toEqual({ status: 'NOT_SERVING' })
  expect(lines).toEqual([
    expect.objectContaining({ level: 'warn', msg: 'Health check failed', reason }),
  ])
})
