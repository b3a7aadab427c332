/** What `npm pack` makes runs where it is installed, without the sources and with a Node that npm brought. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { run } from '../processes/process.ts'

const root = join(import.meta.dirname, '..', '..')

test('the packed package installs into an empty folder, runs the command and exports the SDK', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'steeple-pack-'))
  const packed = await run('npm', ['pack', '--pack-destination', dir], { cwd: root })
  expect(packed.code, packed.stderr).toBe(0)
  const archive = readdirSync(dir).find((name) => name.endsWith('.tgz')) ?? ''
  await run('npm', ['init', '-y'], { cwd: dir })
  const installed = await run('npm', ['install', '--no-audit', '--no-fund', `./${archive}`], {
    cwd: dir,
  })
  expect(installed.code, installed.stderr).toBe(0)
  const help = await run(join(dir, 'node_modules', '.bin', 'steeple'), ['--help'])
  expect(help.code, help.stderr).toBe(0)
  expect(help.stdout).toContain('server')
  const node = join(dir, 'node_modules', '.bin', 'node')
  const script = "import('steeple/workload').then((sdk) => console.log(typeof sdk.openX509Source))"
  const sdk = await run(node, ['-e', script], { cwd: dir })
  expect(sdk.stdout.trim(), sdk.stderr).toBe('function')
  rmSync(dir, { recursive: true })
})
