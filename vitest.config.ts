import { defineConfig } from 'vitest/config'

const project = (name: string, include: string[], testTimeout: number) => ({
  test: { name, include, testTimeout, hookTimeout: testTimeout },
})

const minutes = 60_000

// biome-ignore lint/style/noDefaultExport: vitest reads the default export
export default defineConfig({
  test: {
    projects: [
      project(
        'unit',
        [
          'test/*.test.ts',
          'test/{spiffe,policy,config,log,disk,acme,proto,telemetry,server,agent,workload,proxy,oidc,cli}/**/*.test.ts',
        ],
        10_000,
      ),
      project('conformance', ['test/conformance/**/*.test.ts'], 20_000),
      project('e2e', ['test/e2e/**/*.test.ts'], 2 * minutes),
      project('interop', ['test/interop/**/*.test.ts'], 5 * minutes),
    ],
  },
})
