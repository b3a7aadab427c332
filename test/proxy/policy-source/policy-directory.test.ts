import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openPolicyDirectory } from '../../../proxy/policy-source/policy-directory.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import { memoryLog } from '../../fakes/memory-log.ts'
import { denyAll, mesh, mtlsMode } from '../mesh.ts'

function directory() {
  const dir = mkdtempSync(join(tmpdir(), 'steeple-policies-'))
  return { dir, [Symbol.dispose]: () => rmSync(dir, { recursive: true }) }
}

async function follow(path: string) {
  const { log, lines } = memoryLog()
  const source = await openPolicyDirectory({ path, mesh, clock: systemClock, log })
  const stop = new AbortController()
  const following = source.follow(stop.signal)
  return {
    ...source,
    lines,
    names: () => source.current().authorizationPolicies.map(({ name }) => name),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await following
    },
  }
}

test('what is written, changed and removed is in force soon after', async () => {
  using at = directory()
  const file = join(at.dir, 'a.yaml')
  writeFileSync(file, denyAll('one'))
  await using source = await follow(at.dir)
  let changes = 0
  using _heard = source.onChange(() => {
    changes += 1
  })
  expect(source.names()).toEqual(['one'])
  writeFileSync(join(at.dir, 'b.yml'), denyAll('two'))
  await expect.poll(source.names, { timeout: 5_000 }).toEqual(['one', 'two'])
  writeFileSync(file, mtlsMode('STRICT'))
  await expect.poll(source.names, { timeout: 5_000 }).toEqual(['two'])
  rmSync(join(at.dir, 'b.yml'))
  await expect.poll(source.names, { timeout: 5_000 }).toEqual([])
  expect(changes).toBe(3)
  expect(source.current().peerAuthentications).toHaveLength(1)
})

test('a mistake keeps the last good state, is told, and its correction ends it', async () => {
  using at = directory()
  const file = join(at.dir, 'a.yaml')
  writeFileSync(file, denyAll('good'))
  await using source = await follow(at.dir)
  writeFileSync(file, 'kind: [')
  await expect.poll(() => source.status().problem, { timeout: 5_000 }).toMatch(/a\.yaml:1/)
  expect(source.names()).toEqual(['good'])
  expect(source.lines.map(({ msg }) => msg)).toContain(
    'Policies cannot be loaded; the last good ones stay in force',
  )
  writeFileSync(file, denyAll('better'))
  await expect.poll(source.names, { timeout: 5_000 }).toEqual(['better'])
  expect(source.status().problem).toBeUndefined()
})

test('a directory that goes away changes nothing, and that it is back is told', async () => {
  using at = directory()
  const path = join(at.dir, 'policies')
  mkdirSync(path)
  writeFileSync(join(path, 'a.yaml'), denyAll('good'))
  await using source = await follow(path)
  renameSync(path, join(at.dir, 'elsewhere'))
  await expect.poll(() => source.status().problem, { timeout: 5_000 }).toMatch(/cannot read/)
  expect(source.names()).toEqual(['good'])
  renameSync(join(at.dir, 'elsewhere'), path)
  await expect
    .poll(() => source.lines.map(({ msg }) => msg), { timeout: 5_000 })
    .toContain('Policies are good again, and as they were')
  expect(source.status().problem).toBeUndefined()
})

test('that the last policy has gone, and everybody may pass, is a warning', async () => {
  using at = directory()
  const file = join(at.dir, 'a.yaml')
  writeFileSync(file, denyAll('good'))
  await using source = await follow(at.dir)
  expect(source.lines.filter(({ level }) => level === 'warning')).toEqual([])
  rmSync(file)
  await expect.poll(source.names, { timeout: 5_000 }).toEqual([])
  await expect
    .poll(() => source.lines.map(({ msg }) => String(msg)))
    .toContainEqual(expect.stringMatching(/^There are no policies: plaintext and every caller/))
})

test('a directory that is swapped as a whole by its link is read anew', async () => {
  using at = directory()
  for (const version of ['one', 'two']) {
    mkdirSync(join(at.dir, version))
    writeFileSync(join(at.dir, version, 'a.yaml'), denyAll(version))
  }
  const link = join(at.dir, 'current')
  symlinkSync('one', link)
  await using source = await follow(link)
  expect(source.names()).toEqual(['one'])
  symlinkSync('two', join(at.dir, 'next'))
  renameSync(join(at.dir, 'next'), link)
  await expect.poll(source.names, { timeout: 5_000 }).toEqual(['two'])
})

test('files mounted the way that Kubernetes mounts them are read, and read anew', async () => {
  using at = directory()
  const mount = join(at.dir, 'mount')
  mkdirSync(mount)
  for (const version of ['..v1', '..v2']) {
    mkdirSync(join(mount, version))
    writeFileSync(join(mount, version, 'a.yaml'), denyAll(version.slice(2)))
  }
  symlinkSync('..v1', join(mount, '..data'))
  symlinkSync('..data/a.yaml', join(mount, 'a.yaml'))
  await using source = await follow(mount)
  expect(source.names()).toEqual(['v1'])
  symlinkSync('..v2', join(mount, '..next'))
  renameSync(join(mount, '..next'), join(mount, '..data'))
  await expect.poll(source.names, { timeout: 5_000 }).toEqual(['v2'])
})

test('a directory that is not there refuses to begin', async () => {
  const { log } = memoryLog()
  const missing = { path: '/nowhere/policies', mesh, clock: systemClock, log }
  await expect(openPolicyDirectory(missing)).rejects.toThrow(/choose another policy_dir/)
})

test('a mistake at the beginning refuses to begin', async () => {
  using at = directory()
  writeFileSync(join(at.dir, 'a.yaml'), denyAll().replace('DENY', 'DENI'))
  const { log } = memoryLog()
  const broken = { path: at.dir, mesh, clock: systemClock, log }
  await expect(openPolicyDirectory(broken)).rejects.toThrow(/a\.yaml:1/)
})
