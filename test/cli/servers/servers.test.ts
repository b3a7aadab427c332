/** `servers list` and `servers forget` at a server that is alone. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../../server/running-server.ts'
import { run } from '../run.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server[Symbol.asyncDispose]())

const at = (line: string) => run(`${line} -socketPath ${server.socketPath}`)

test('a server that is alone lists itself, with the authorities that sign', async () => {
  const { code, out, err } = await at('servers list')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out).toMatch(/^Found 1 server\n\nServer {11}: server\nState {12}: lives \(it answers\)\n/)
  expect(out).toMatch(/X\.509 authorities: [0-9a-f]{40} \(active\)\n/)
  expect(out).toMatch(/JWT authorities {2}: \w{32} \(active\)\n/)
})

test('as JSON it says the same', async () => {
  const { out } = await at('servers list -output json')
  expect(JSON.parse(out)).toMatchObject({ servers: [{ key: 'server', state: 'HERE' }] })
})

test.for([
  ['servers forget', 'a server key is required: -key'],
  ['servers forget -key server', 'is this one, and lives'],
  ['servers forget -key other', 'there is no server other'],
  ['authority rotate x509 -yes -without other', 'the trust domain has one server'],
] as const)('%s is refused', async ([line, message]) => {
  const { code, err } = await at(line)
  expect(code).toBe(1)
  expect(err).toContain(message)
})
