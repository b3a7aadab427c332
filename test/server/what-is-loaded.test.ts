import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..', '..')

/** Loads a module in a process of its own, and says which packages and which parts of Node came with it. */
const LOOK = `
  import { registerHooks } from 'node:module'
  const packages = new Set()
  registerHooks({
    load(url, context, next) {
      const name = /.*\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)\\//.exec(url)?.[1]
      if (name !== undefined) packages.add(name)
      return next(url, context)
    },
  })
  await import(process.argv[1])
  const parts = process.moduleLoadList.map((part) => part.split(' ')[1])
  console.log(JSON.stringify({ packages: [...packages], parts }))`

interface Loaded {
  readonly packages: readonly string[]
  readonly parts: readonly string[]
}

function loadedWith(module: string): Loaded {
  const args = ['--input-type=module', '-e', LOOK, join(root, module)]
  // Cast: what is printed above.
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Loaded
}

test.each(['cli/server/run.ts', 'cli/agent/run.ts'])(
  '%s brings nothing that many a configuration has no use for',
  (module) => {
    const { packages, parts } = loadedWith(module)
    expect(packages).toContain('@grpc/grpc-js')
    const unused = ['kysely', 'yaml', 'pg', '@kubernetes/client-node', 'prom-client']
    expect(packages.filter((name) => unused.includes(name))).toEqual([])
    expect(parts.filter((name) => name?.includes('undici'))).toEqual([])
  },
)

test('a server that is asked for no token has not loaded what signs them', () => {
  expect(loadedWith('cli/server/run.ts').packages).not.toContain('jose')
})
