/** `steeple authz test` on files of vectors. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { policyDir } from '../policy-dir.ts'
import { run } from '../run.ts'

const decision = (id: string, expected: string) => ({
  id,
  title: 'nobody is kept out',
  engine: 'tcp',
  policies: [],
  destination: { namespace: 'shop' },
  request: { source: { ip: '10.0.0.1' }, destination: { ip: '10.0.0.2', port: 80 } },
  expect: { decision: expected },
})

async function runVectors(file: object, more = '') {
  using dir = policyDir()
  return await run(`authz test ${dir.write('vectors.yaml', JSON.stringify(file))}${more}`)
}

test('every vector of Istio passes', async () => {
  const file = join(import.meta.dirname, '..', '..', 'vectors', 'authz-cases.yaml')
  const { code, out, err } = await run(['authz', 'test', file])
  expect([code, err]).toEqual([0, ''])
  expect(out).toMatch(/^cases: (\d+) of \1 passed\npeerAuthenticationCases: (\d+) of \2 passed\n/)
  expect(out.trim().split('\n')).toHaveLength(5)
})

test('a vector that fails is shown with what was expected and found, and the code is 2', async () => {
  const ran = await runVectors({ cases: [decision('a', 'allow'), decision('b', 'deny')] })
  expect(ran).toEqual({
    code: 2,
    err: '',
    out: `cases b nobody is kept out
  decision: expected "deny", found "allow"

cases: 1 of 2 passed, 1 failed
`,
  })
})

test('a vector that cannot be run does not pass', async () => {
  const ran = await runVectors({ cases: [{ ...decision('a', 'allow'), engine: 'ebpf' }] })
  expect(ran.code).toBe(2)
  expect(ran.out).toContain('cases a\n  not run: engine: ')
  expect(ran.out).toContain('cases: 0 of 1 passed, 1 not run')
})

test('-output json tells the same to programs', async () => {
  const path = { option: 'BASE', in: '/a/../b', out: '/c' }
  const ran = await runVectors(
    { cases: [decision('a', 'allow')], pathNormalizationCases: [path] },
    ' -output json',
  )
  expect(ran.code).toBe(2)
  expect(JSON.parse(ran.out)).toMatchObject({
    passed: 1,
    failed: 1,
    skipped: 0,
    sections: { cases: { passed: 1 }, pathNormalizationCases: { failed: 1 } },
    failures: [
      { section: 'pathNormalizationCases', differences: [expect.stringContaining('"/c"')] },
    ],
    not_run: [],
  })
})

test.for([
  ['a file without vectors', '{}', 'holds no vectors'],
  ['an empty file', '', 'holds no vectors'],
  ['sections that are no lists', '{"cases": {}}', 'not a file of policy vectors'],
  ['several documents', 'a: 1\n---\nb: 2', 'holds 2 documents, expected one'],
  ['no YAML', 'a: [', 'not YAML'],
  ['an alias', 'a: &x 1\nb: *x', 'aliases are not read'],
] as const)('%s ends with 1', async ([, text, message]) => {
  using dir = policyDir()
  const ran = await run(['authz', 'test', dir.write('vectors.yaml', text)])
  expect([ran.code, ran.out]).toEqual([1, ''])
  expect(ran.err).toContain(message)
})

test('a file that is not there, and none at all, end with 1', async () => {
  expect((await run('authz test /nonexistent.yaml')).err).toContain('no such file or directory')
  expect((await run('authz test')).err).toContain('expected <file>, got nothing')
})
