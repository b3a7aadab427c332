/** The lines of the house that no type can draw: who imports whom, who owns which library, how long a file is. */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')

/** Room → the rooms beneath it. Whatever is not listed may not be imported. */
const BENEATH: Record<string, readonly string[]> = {
  spiffe: [],
  policy: ['spiffe'],
  log: [],
  config: ['spiffe'],
  disk: ['spiffe'],
  acme: ['spiffe', 'disk'],
  kubernetes: ['spiffe', 'log'],
  proto: ['spiffe'],
  telemetry: ['spiffe', 'log', 'proto'],
  workload: ['spiffe', 'proto'],
  server: [
    'spiffe',
    'policy',
    'config',
    'disk',
    'acme',
    'kubernetes',
    'log',
    'proto',
    'telemetry',
    'workload',
  ],
  agent: ['spiffe', 'config', 'disk', 'kubernetes', 'log', 'proto', 'telemetry'],
  proxy: [
    'spiffe',
    'policy',
    'config',
    'disk',
    'kubernetes',
    'log',
    'proto',
    'telemetry',
    'workload',
  ],
  oidc: ['spiffe', 'config', 'disk', 'acme', 'log', 'proto', 'telemetry', 'workload'],
  cli: [
    'spiffe',
    'policy',
    'config',
    'disk',
    'kubernetes',
    'log',
    'proto',
    'telemetry',
    'server',
    'agent',
    'proxy',
    'oidc',
  ],
}

/** Library → the folders that may import it; everything else goes through them. */
const OWNERS: Record<string, readonly string[]> = {
  '@peculiar/x509': ['spiffe/x509'],
  '@peculiar/webcrypto': ['spiffe/x509'],
  'reflect-metadata': ['spiffe/x509'],
  jose: ['spiffe/jwt'],
  'better-sqlite3': ['server/store/sqlite'],
  kysely: ['server/store/sqlite'],
  pg: ['server/store/postgres'],
  '@kubernetes/client-node': ['kubernetes'],
  commander: ['cli'],
  pino: ['log'],
  yaml: ['config'],
  koffi: ['proto'],
  'prom-client': ['telemetry'],
}

const IO = [
  'fs',
  'net',
  'tls',
  'http',
  'https',
  'http2',
  'child_process',
  'dgram',
  'dns',
  'os',
  'worker_threads',
]

const MAX_LINES = 300

const sources = Object.keys(BENEATH).flatMap((room) =>
  globSync(`${room}/**/*.ts`, { cwd: root, exclude: ['proto/gen/**'] }).map((path) => ({
    room,
    path,
    text: readFileSync(join(root, path), 'utf8'),
  })),
)

const importsOf = (text: string) =>
  [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] ?? '')

const faults = (judge: (source: (typeof sources)[number], specifier: string) => boolean) =>
  sources.flatMap((source) =>
    importsOf(source.text)
      .filter((specifier) => judge(source, specifier))
      .map((specifier) => `${source.path} imports ${specifier}`),
  )

test('there are sources to judge', () => {
  expect(sources.length).toBeGreaterThan(20)
})

test('imports run one way, from a room to those beneath it', () => {
  expect(
    faults(({ room, path }, specifier) => {
      if (!specifier.startsWith('.')) return false
      const target = normalize(join(dirname(path), specifier)).split('/')[0] ?? ''
      return target !== room && !BENEATH[room]?.includes(target)
    }),
  ).toEqual([])
})

test('a library is imported by its owner alone', () => {
  expect(
    faults(({ path }, specifier) => {
      const owners = OWNERS[specifier]
      return owners !== undefined && !owners.some((owner) => path.startsWith(`${owner}/`))
    }),
  ).toEqual([])
})

test('no daemon or command loads fetch, 9 MiB, by importing node:http: process.getBuiltinModule has it without', () => {
  const importing = sources.filter(({ text }) =>
    /^import (?!type )(?:\{[^}]*\}|[^{}\n]+) from 'node:http'$/m.test(text),
  )
  expect(importing.map(({ path }) => path)).toEqual([])
})

test('spiffe/ and policy/ do no I/O', () => {
  expect(
    faults(
      ({ room }, specifier) =>
        (room === 'spiffe' || room === 'policy') &&
        IO.some((name) => specifier === `node:${name}` || specifier.startsWith(`node:${name}/`)),
    ),
  ).toEqual([])
})

test('only main.ts reads the environment', () => {
  const readers = sources
    .filter(({ text }) => text.includes('process.env'))
    .map(({ path }) => path)
    .filter(
      (path) =>
        !path.startsWith('cli/') &&
        !path.endsWith('/main.ts') &&
        !path.startsWith('workload/') &&
        // What Kubernetes tells each container, as SPIFFE tells each workload.
        path !== 'kubernetes/service-account.ts',
    )
  expect(readers).toEqual([])
})

test('no file is a drawer for everything, and each can be read in one sitting', () => {
  const drawers = sources.filter(({ path }) =>
    /(^|\/)(utils?|helpers?|common|misc|types|models|services)(\/|\.ts$)/.test(path),
  )
  expect(drawers.map(({ path }) => path)).toEqual([])
  const long = sources.filter(({ text }) => text.split('\n').length > MAX_LINES)
  expect(long.map(({ path }) => path)).toEqual([])
})

test('every file opens by saying what it is', () => {
  const silent = sources.filter(({ text }) => !/^(#![^\n]*\n)?\/\*\*/.test(text))
  expect(silent.map(({ path }) => path)).toEqual([])
})

test('no test replaces a module, for those that run after it in the same process would get the replacement', () => {
  const replacing = globSync('test/**/*.ts', { cwd: root }).filter((path) =>
    /\bvi\s*\.(mock|doMock|hoisted|resetModules)\(/.test(readFileSync(join(root, path), 'utf8')),
  )
  expect(replacing).toEqual([])
})
