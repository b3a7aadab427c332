/** `steeple k8s doctor` as a command: which cluster it asks, and what it says when there is none. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { run } from '../run.ts'

const unreachable = JSON.stringify({
  clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
  users: [{ name: 'u', user: {} }],
  contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
  'current-context': 'x',
})

test('a cluster that does not answer is a failure with exit code 1, and nothing is printed as an answer', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'doctor-'))
  try {
    const kubeconfig = join(dir, 'config')
    writeFileSync(kubeconfig, unreachable)
    const { code, out, err } = await run(['k8s', 'doctor', '-kubeconfig', kubeconfig])
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toContain('the API server https://127.0.0.1:1 did not answer GET /apis/apps/v1/')
  } finally {
    rmSync(dir, { recursive: true })
  }
})

test.for([
  ['the flag', ['-kubeconfig', '/nowhere/flag'], { KUBECONFIG: '/nowhere/env' }, '/nowhere/flag'],
  ['the variable', [], { KUBECONFIG: '/nowhere/env', HOME: '/nowhere' }, '/nowhere/env'],
  ['the home directory', [], { HOME: '/nowhere' }, '/nowhere/.kube/config'],
] as const)('the kubeconfig is that of %s', async ([, flags, env, expected]) => {
  const { code, err } = await run(['k8s', 'doctor', ...flags], { env })
  expect(code).toBe(1)
  expect(err).toContain(`cannot use the kubeconfig ${expected}: `)
})

test('in a pod it is the pod’s service account, whatever the home directory has', async () => {
  const env = { HOME: '/nowhere', KUBERNETES_SERVICE_HOST: '203.0.113.1' }
  const { code, err } = await run(['k8s', 'doctor'], { env })
  expect(code).toBe(1)
  expect(err).not.toContain('/nowhere')
})

test('a context that there is not is refused by its name', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'doctor-'))
  try {
    writeFileSync(join(dir, 'config'), unreachable)
    const flags = ['-kubeconfig', join(dir, 'config'), '-context', 'other']
    const { code } = await run(['k8s', 'doctor', ...flags])
    expect(code).toBe(1)
  } finally {
    rmSync(dir, { recursive: true })
  }
})

test('help names the exit codes', async () => {
  const { out, err } = await run('k8s doctor --help')
  expect(out + err).toContain('Exit code 0: nothing is wrong; 2: something is')
})
