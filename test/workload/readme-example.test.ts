import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { currentCa, identityOf } from '../fakes/svids.ts'
import { openWorkloadEndpoint } from '../fakes/workload-endpoint.ts'

const run = promisify(execFile)
const program = join(import.meta.dirname, '..', '..', 'demo', 'hello-mtls.ts')

test('the example of the README gets an identity and greets itself over mutual TLS', async () => {
  const ca = await currentCa('example.org')
  await using endpoint = await openWorkloadEndpoint()
  endpoint.source.set({ bundle: ca.bundle, identities: [await identityOf(ca, '/hello')] })
  const env = { ...process.env, SPIFFE_ENDPOINT_SOCKET: `unix://${endpoint.path}` }
  const { stdout, stderr } = await run(process.execPath, [program], { env })
  expect(stderr).toBe('')
  expect(stdout).toBe('hello, spiffe://example.org/hello\n')
})

test('without an address it says what to set', async () => {
  const { SPIFFE_ENDPOINT_SOCKET: _, ...env } = process.env
  await expect(run(process.execPath, [program], { env })).rejects.toMatchObject({
    stderr: expect.stringContaining('set SPIFFE_ENDPOINT_SOCKET'),
  })
})
