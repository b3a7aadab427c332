import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { clusterIdentity } from '../../kubernetes/cluster-identity.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'steeple-identity-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

/** @returns the path of a kubeconfig */
function kubeconfig(name: string, cluster: Readonly<Record<string, string>>): string {
  const path = join(directory, name)
  const user = { name: 'u', user: { token: `token of ${name}` } }
  const context = { name: 'x', context: { cluster: 'c', user: 'u' } }
  const file = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'x' },
    ...{ clusters: [{ name: 'c', cluster }], users: [user], contexts: [context] },
  }
  writeFileSync(path, JSON.stringify(file))
  return path
}

const server = 'https://127.0.0.1:6443'
const base64 = (text: string) => Buffer.from(text).toString('base64')

test('two files with different credentials for the same cluster mean the same one', async () => {
  const cluster = { server, 'certificate-authority-data': base64('one') }
  const [first, second] = [kubeconfig('a', cluster), kubeconfig('b', cluster)]
  expect(await clusterIdentity(first)).toBe(await clusterIdentity(second))
  expect(await clusterIdentity(first)).toMatch(/^[0-9a-f]{12}$/)
})

test('certificate authorities in a file of their own mean the same as those in the kubeconfig', async () => {
  const path = join(directory, 'ca.crt')
  writeFileSync(path, 'one')
  const inFile = kubeconfig('a', { server, 'certificate-authority': path })
  const inText = kubeconfig('b', { server, 'certificate-authority-data': base64('one') })
  expect(await clusterIdentity(inFile)).toBe(await clusterIdentity(inText))
})

test('clusters at the same address with different certificate authorities are told apart', async () => {
  const one = kubeconfig('a', { server, 'certificate-authority-data': base64('one') })
  const other = kubeconfig('b', { server, 'certificate-authority-data': base64('other') })
  const none = kubeconfig('c', { server })
  const identities = await Promise.all([one, other, none].map(clusterIdentity))
  expect(new Set(identities).size).toBe(3)
})

test('certificate authorities that cannot be read are told with their path', async () => {
  const path = join(directory, 'nothing.crt')
  const lost = kubeconfig('a', { server, 'certificate-authority': path })
  await expect(clusterIdentity(lost)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining(path),
  })
})

test('outside of a pod the service account of the pod is refused', async () => {
  await expect(clusterIdentity(undefined)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})
