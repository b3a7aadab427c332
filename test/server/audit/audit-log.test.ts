/** The audit log of a whole server: who called what, from where, and how it ended. */
import { expect, test } from 'vitest'
import { call, startTestServer } from '../running-server.ts'

type Server = Awaited<ReturnType<typeof startTestServer>>

const audited = (server: Server, method: string) =>
  server.lines.filter((line) => line.type === 'audit' && line.method === method)

const start = () => startTestServer({ config: { hasAuditLog: true } })

test('a call over the admin socket is told with the process that made it', async () => {
  await using server = await start()
  await call((done) => server.admin.entry.CountEntries({}, done))
  await expect
    .poll(() => audited(server, 'CountEntries'))
    .toEqual([
      expect.objectContaining({
        level: 'info',
        msg: 'API accessed',
        type: 'audit',
        request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        service: 'entry.v1.Entry',
        status: 'success',
        authorized_as: 'local',
        authorized_via: 'transport',
        caller_pid: process.pid,
        caller_uid: process.getuid?.(),
        caller_gid: process.getgid?.(),
        caller_path: process.execPath,
      }),
    ])
})

test('an attestation is told with the agent that came of it, and never with its token', async () => {
  await using server = await start()
  const agent = await server.attest()
  const token = agent.id.split('/').at(-1) ?? ''
  await expect
    .poll(() => audited(server, 'AttestAgent'))
    .toMatchObject([
      {
        status: 'success',
        authorized_as: 'nobody',
        node_attestor_type: 'join_token',
        agent_id: agent.id,
        caller_addr: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      },
    ])
  const created = audited(server, 'CreateJoinToken')
  expect(created).toMatchObject([{ status: 'success', ttl: 600 }])
  expect(JSON.stringify(created)).not.toContain(token)
})

test('an agent’s calls are told with its ID', async () => {
  await using server = await start()
  const agent = await server.attest()
  const clients = await server.connect(agent.certificate)
  await call((done) => clients.agent.PostStatus({ agent_version: '9' }, done))
  await expect
    .poll(() => audited(server, 'PostStatus'))
    .toMatchObject([
      {
        status: 'success',
        authorized_as: 'agent',
        authorized_via: 'datastore',
        caller_id: agent.id,
        agent_version: '9',
      },
    ])
})

test('a refused call is told with what the caller was told, and grants nothing', async () => {
  await using server = await start()
  const clients = await server.connect()
  await expect(call((done) => clients.entry.CountEntries({}, done))).rejects.toThrow()
  await expect
    .poll(() => audited(server, 'CountEntries'))
    .toMatchObject([
      {
        status: 'error',
        status_code: 'PermissionDenied',
        status_message:
          'authorization denied for method /spire.api.server.entry.v1.Entry/CountEntries',
      },
    ])
  expect(audited(server, 'CountEntries')[0]).not.toHaveProperty('authorized_as')
})

test('a failed attestation is told with its type', async () => {
  await using server = await start()
  await expect(server.attest('guess')).rejects.toThrow()
  await expect
    .poll(() => audited(server, 'AttestAgent'))
    .toMatchObject([
      { status: 'error', status_code: 'InvalidArgument', node_attestor_type: 'join_token' },
    ])
  expect(JSON.stringify(audited(server, 'AttestAgent'))).not.toContain('guess')
})

test('without the key there is no audit log', async () => {
  await using server = await startTestServer()
  await call((done) => server.admin.entry.CountEntries({}, done))
  await server.stop()
  expect(server.lines.filter(({ type }) => type === 'audit')).toEqual([])
})
