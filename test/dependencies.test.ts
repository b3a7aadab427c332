/** What comes with Steeple: by name, version and licence in DEPENDENCIES.md, and nothing that npm could not check. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'

const root = join(import.meta.dirname, '..')
const PATH = join(root, 'DEPENDENCIES.md')

const lockedPackage = z.object({
  version: z.string().optional(),
  license: z.string().optional(),
  integrity: z.string().optional(),
  resolved: z.string().optional(),
  dev: z.boolean().optional(),
  optional: z.boolean().optional(),
  hasInstallScript: z.boolean().optional(),
})
const lockfile = z.object({ packages: z.record(z.string(), lockedPackage) })
const manifest = z.object({
  dependencies: z.record(z.string(), z.string()),
  optionalDependencies: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string()),
})

const locked = Object.entries(
  lockfile.parse(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))).packages,
).filter(([path]) => path !== '')
const shipped = locked.filter(([, { dev }]) => dev !== true)
const direct = manifest.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')))

/** Licences that ask for nothing but their own text to be kept. */
const ACCEPTED = new Set([
  ...['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'ISC', 'MIT'],
  ...['PSF-2.0', 'Unlicense'],
])

/** Their scripts only print or compile what is in the package already; `npm ci --ignore-scripts` installs them whole. */
const SCRIPTS_NOT_NEEDED = new Set(['koffi', 'protobufjs'])

const nameOf = (path: string) => path.slice(path.lastIndexOf('node_modules/') + 13)

const INTRODUCTION = `# Dependencies

Everything that \`npm install steeple\` brings, with its licence. \`npm run sbom\` prints the same as CycloneDX, with the
digest of each package.

This page is made from \`package-lock.json\`: after changing that, run \`npm test -- dependencies -u\`.
`

test('DEPENDENCIES.md names every package that is installed, its version and its licence', async () => {
  const rows = new Set(
    shipped
      .map(([path, { version, license }]) => `| ${nameOf(path)} | ${version} | ${license} |`)
      .sort(),
  )
  const page = [INTRODUCTION, '| package | version | licence |', '|---|---|---|', ...rows, '']
  await expect(page.join('\n')).toMatchFileSnapshot(PATH)
})

test('no licence asks for more than its text to be kept', () => {
  const others = shipped.filter(([, { license }]) => !ACCEPTED.has(license ?? ''))
  expect(others.map(([path, { license }]) => `${path}: ${license}`)).toEqual([])
})

test('every package that is installed is pinned by a digest', () => {
  const open = shipped.filter(([, { integrity }]) => integrity?.startsWith('sha512-') !== true)
  expect(open.map(([path]) => path)).toEqual([])
})

test('no package comes from anywhere but the registry', () => {
  const elsewhere = locked.filter(([, { resolved }]) => /^(git|http:|file:)/.test(resolved ?? ''))
  expect(elsewhere.map(([path]) => path)).toEqual([])
})

test('no package needs a script at its installation', () => {
  const scripts = locked.filter(([, { hasInstallScript }]) => hasInstallScript === true)
  const needed = scripts
    .map(([path]) => nameOf(path))
    .filter((name) => !SCRIPTS_NOT_NEEDED.has(name))
  expect(needed).toEqual([])
})

test('what we ask for ourselves is asked for at one exact version', () => {
  const versions = Object.entries({
    ...direct.dependencies,
    ...direct.optionalDependencies,
    ...direct.devDependencies,
  })
  expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([])
})
