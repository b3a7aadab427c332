/** What `npm pack` makes runs where it is installed, without the sources and with a Node that npm brought. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { z } from 'zod'
import { run } from '../processes/process.ts'

/** Building, packing and installing, on a machine that has other things to do. */
const PACK_MS = 300_000

const root = join(import.meta.dirname, '..', '..')

const folder = mkdtempSync(join(tmpdir(), 'steeple-pack-'))
afterAll(() => rmSync(folder, { recursive: true }))

let packing: Promise<string> | undefined

/** @returns the archive that would be published; building takes a while, so it is made once */
function packOnce(): Promise<string> {
  packing ??= pack()
  return packing
}

async function pack(): Promise<string> {
  const packed = await run('npm', ['pack', '--pack-destination', folder], { cwd: root })
  expect(packed.code, packed.stderr).toBe(0)
  const archive = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? ''
  return join(folder, archive)
}

test(
  'the packed package installs into an empty folder, runs the command and exports the SDK',
  async () => {
    const archive = await packOnce()
    const dir = join(folder, 'installed')
    mkdirSync(dir)
    await run('npm', ['init', '-y'], { cwd: dir })
    const quietly = ['--ignore-scripts', '--no-audit', '--no-fund']
    const installed = await run('npm', ['install', ...quietly, archive], { cwd: dir })
    expect(installed.code, installed.stderr).toBe(0)
    const help = await run(join(dir, 'node_modules', '.bin', 'steeple'), ['--help'])
    expect(help.code, help.stderr).toBe(0)
    expect(help.stdout).toContain('server')
    const node = join(dir, 'node_modules', '.bin', 'node')
    const script =
      "import('steeple/workload').then((sdk) => console.log(typeof sdk.openX509Source))"
    const sdk = await run(node, ['-e', script], { cwd: dir })
    expect(sdk.stdout.trim(), sdk.stderr).toBe('function')
    const natives =
      "await import('koffi'); new (await import('better-sqlite3')).default(':memory:')"
    const loaded = await run(node, ['--input-type=module', '-e', natives], { cwd: dir })
    expect(loaded.code, loaded.stderr).toBe(0)
  },
  PACK_MS,
)

const DOCUMENTS = [
  ...['README.md', 'CHANGELOG.md', 'CONFIGURATION.md', 'DEPENDENCIES.md', 'SECURITY.md', 'LICENSE'],
  ...['package.json', 'steeple'],
]

test(
  'the packed package holds programs, protocols, the SDK’s types and documents, and nothing else',
  async () => {
    const listed = await run('tar', ['-tzf', await packOnce()])
    const paths = listed.stdout
      .trim()
      .split('\n')
      .map((path) => path.replace(/^package\//, ''))
    const needed = (path: string) =>
      DOCUMENTS.includes(path) ||
      /^dist\/.*\.(js|proto)$/.test(path) ||
      /^dist\/.*\.d\.ts$/.test(path)
    expect(paths.filter((path) => !needed(path))).toEqual([])
    expect(paths.filter((path) => /(^|\/)(test|bench|demo)\//.test(path))).toEqual([])
    expect(paths.length).toBeGreaterThan(DOCUMENTS.length)
    const isEmpty = (path: string) => /^export \{\};$/m.test(readFileSync(join(root, path), 'utf8'))
    expect(paths.filter((path) => path.endsWith('.js') && isEmpty(path))).toEqual([])
  },
  PACK_MS,
)

const bill = z.object({
  components: z.array(
    z.object({ name: z.string(), version: z.string(), hashes: z.array(z.unknown()).min(1) }),
  ),
})

test('the bill of materials names what is installed, each with its digest', async () => {
  const printed = await run('npm', ['run', '--silent', 'sbom'], { cwd: root })
  expect(printed.code, printed.stderr).toBe(0)
  const { components } = bill.parse(JSON.parse(printed.stdout))
  const listed = readFileSync(join(root, 'DEPENDENCIES.md'), 'utf8')
  expect(components.length).toBeGreaterThan(0)
  for (const { name, version } of components) expect(listed).toContain(`| ${name} | ${version} |`)
})
