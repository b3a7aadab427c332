/** `steeple dev` gives a usable Workload API at once, and leaves nothing behind, however it is asked to end. */
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { steeple } from '../processes/cluster.ts'
import { run, start, until } from '../processes/process.ts'

test.for(['SIGINT', 'SIGTERM'] as const)(
  'it serves until %s and is gone after it',
  async (signal) => {
    await using dev = start(steeple, ['dev', '-trustDomain', 'test.example'])
    const [, agentSocket = ''] = await dev.line(/export SPIRE_AGENT_PUBLIC_SOCKET=(\S+)/)
    const [, serverSocket = ''] = await dev.line(/export SPIRE_SERVER_PRIVATE_SOCKET=(\S+)/)
    const [, parent = ''] = await dev.line(/entry create -parentID (\S+)/)
    await dev.line(/Ctrl-C/)
    const env = {
      SPIRE_AGENT_PUBLIC_SOCKET: agentSocket,
      SPIRE_SERVER_PRIVATE_SOCKET: serverSocket,
    }
    const fetched = await run(steeple, ['agent', 'api', 'fetch', 'x509'], { env })
    expect(fetched.code, fetched.stderr).toBe(0)
    expect(fetched.stdout).toContain('spiffe://test.example/dev/')

    const web = [
      '-spiffeID',
      'spiffe://test.example/web',
      '-selector',
      `unix:uid:${process.getuid?.()}`,
    ]
    const made = await run(steeple, ['server', 'entry', 'create', '-parentID', parent, ...web], {
      env,
    })
    expect(made.code, made.stderr).toBe(0)
    await until('the entry to arrive', async () => {
      const { stdout } = await run(steeple, ['agent', 'api', 'fetch', 'x509'], { env })
      return stdout.includes('spiffe://test.example/web')
    })

    dev.kill(signal)
    expect(await dev.ended, dev.output()).toBe(0)
    expect(existsSync(dirname(agentSocket))).toBe(false)
  },
)

test('a trust domain that is none is refused, and nothing is left', async () => {
  const { code, stdout, stderr } = await run(steeple, ['dev', '-trustDomain', 'Not A Domain'])
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(/^Error: .*Not A Domain/)
})
