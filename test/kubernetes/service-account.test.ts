import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { RequestOptions } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readServiceAccount } from '../../kubernetes/service-account.ts'

function mounted(files: Readonly<Record<string, string>> = { token: 'one\n', 'ca.crt': 'pem' }) {
  const dir = mkdtempSync(join(tmpdir(), 'service-account-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
  return { dir, [Symbol.dispose]: () => rmSync(dir, { recursive: true }) }
}

const ENV = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '6443' }

test('a pod’s own API server and token are those that Kubernetes names, and a new token is used at once', async () => {
  using at = mounted()
  const account = readServiceAccount(ENV, at.dir)
  expect(account.server).toBe('https://10.0.0.1:6443')
  const first: RequestOptions = { headers: { accept: 'a' } }
  await account.authenticate(first)
  expect(first).toEqual({
    headers: { accept: 'a', authorization: 'Bearer one' },
    ca: Buffer.from('pem'),
  })
  writeFileSync(join(at.dir, 'token'), 'two')
  const second: RequestOptions = {}
  await account.authenticate(second)
  expect(second.headers).toEqual({ authorization: 'Bearer two' })
})

test('an address of IPv6 is one in a URL, too', () => {
  using at = mounted()
  const { server } = readServiceAccount({ KUBERNETES_SERVICE_HOST: 'fd00::1' }, at.dir)
  expect(server).toBe('https://[fd00::1]:443')
})

test.each([
  ['outside of a pod', {}, undefined, /outside of a pod, a kubeconfig must be named/],
  ['with a port that is none', { ...ENV, KUBERNETES_SERVICE_PORT: 'x' }, undefined, /names none/],
  ['without a token', ENV, { 'ca.crt': 'pem' }, /service account of this pod: .*token/],
  ['without certificates', ENV, { token: 'one' }, /service account of this pod: .*ca\.crt/],
])('%s there is no cluster', (_, env, files, message) => {
  using at = mounted(files)
  expect(() => readServiceAccount(env, at.dir)).toThrow(message)
})

test.each(['', ' \n', 'two lines\nof it', 'é'])(
  'a token like %j is not sent, and not shown',
  async (token) => {
    using at = mounted({ token, 'ca.crt': 'pem' })
    const asking = readServiceAccount(ENV, at.dir).authenticate({})
    await expect(asking).rejects.toThrow(/^the token in \S+ is empty or no text$/)
  },
)
