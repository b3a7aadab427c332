import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { denyAll } from '../../proxy/mesh.ts'
import { run } from '../run.ts'

function directory(policy: string) {
  const dir = mkdtempSync(join(tmpdir(), 'steeple-validate-'))
  const config = join(dir, 'proxy.conf')
  writeFileSync(join(dir, 'a.yaml'), policy)
  writeFileSync(
    config,
    `proxy {
  policy_dir = "${dir}"
  inbound "db" { listen = "0.0.0.0:8443"  upstream = "127.0.0.1:8080" }
}
`,
  )
  return { dir, config, [Symbol.dispose]: () => rmSync(dir, { recursive: true }) }
}

test('a good file with good policies is valid', async () => {
  using at = directory(denyAll())
  const { code, out } = await run(['proxy', 'validate', '-config', at.config])
  expect({ code, out }).toEqual({ code: 0, out: 'Proxy configuration is valid.\n' })
})

test('a mistake in a policy is told with its file and its field', async () => {
  using at = directory(denyAll().replace('rules', 'rulez'))
  const { code, err } = await run(['proxy', 'validate', '-config', at.config])
  expect(code).toBe(1)
  expect(err).toMatch(/Proxy configuration is invalid.*a\.yaml:1: .*rulez/s)
})

test('a mistake in the file is told with its line', async () => {
  using at = directory(denyAll())
  writeFileSync(at.config, 'proxy {\n  inbond "db" {}\n}\n')
  const { code, err } = await run(['proxy', 'validate', '-config', at.config])
  expect(code).toBe(1)
  expect(err).toMatch(/proxy\.conf:2:3: unknown key "inbond".*did you mean "inbound"/)
})

test('flags alone are enough for one listener', async () => {
  const flags = ['-inbound', '-listen', '127.0.0.1:8443', '-upstream', '127.0.0.1:8080']
  expect((await run(['proxy', 'validate', ...flags])).code).toBe(0)
  const outbound = ['-outbound', ...flags.slice(1)]
  const { code, err } = await run(['proxy', 'validate', ...outbound])
  expect(code).toBe(1)
  expect(err).toMatch(/-outbound needs -authorize/)
})
