import { join } from 'node:path'
import { env } from 'node:process'
import { defineConfig } from 'vitest/config'

/** Programs that tests start compile the sources once, not at every start. */
env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules', '.cache', 'node')

const minutes = 60_000
/** How long `expect.poll` looks again, and how long a test may take, on a machine that has other things to do. */
const POLL_MS = 10_000
const TEST_MS = 30_000

const project = (name: string, include: string[], testTimeout: number) => ({
  test: { name, include, testTimeout, hookTimeout: testTimeout },
})

/** Its files share workers, and with them what was imported: loading it anew for each cost more than the tests. */
const shared = (name: string, include: string[]) => ({
  test: {
    ...project(name, include, TEST_MS).test,
    isolate: false,
    setupFiles: ['test/leave-as-found.ts'],
    expect: { poll: { timeout: POLL_MS } },
  },
})

// biome-ignore lint/style/noDefaultExport: vitest reads the default export
export default defineConfig({
  test: {
    projects: [
      shared('unit', [
        'test/*.test.ts',
        'test/{spiffe,policy,config,log,disk,acme,kubernetes,proto,telemetry,server,agent,workload,proxy,oidc,cli,bench,fuzz}/**/*.test.ts',
      ]),
      shared('conformance', ['test/conformance/**/*.test.ts']),
      project('e2e', ['test/e2e/**/*.test.ts'], 2 * minutes),
      project('interop', ['test/interop/**/*.test.ts'], 5 * minutes),
    ],
  },
})
