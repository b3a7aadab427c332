/**
 * Runs around each file of unit and conformance tests. They share workers, so whatever a file changed in its process would
 * still be so in the next file: a file fails that leaves the process otherwise than it found it, and is told what it left.
 */
import { afterAll, expect } from 'vitest'
import './processes/process.ts' // listens for the end of the process, once for all files

/** What one file could leave to the next, by name. */
function surroundings(): ReadonlyMap<string, unknown> {
  const globals = Object.getOwnPropertyNames(globalThis)
    .filter((name) => !name.startsWith('__')) // those of libraries, made once when they are imported
    .map((name) => [`global ${name}`, true] as const)
  const listeners = process
    .eventNames()
    .map((name) => [`listeners for ${String(name)}`, process.listenerCount(name)] as const)
  const variables = Object.entries(process.env).map(
    ([name, value]) => [`environment variable ${name}`, value] as const,
  )
  return new Map<string, unknown>([
    ['working directory', process.cwd()],
    ['umask', process.umask()],
    ['exit code', process.exitCode],
    ['arguments', process.argv.join(' ')],
    ['process title', process.title],
    // Fake timers, and whatever else was put in the place of the real one.
    ...Object.entries({ Date, setTimeout, setInterval, setImmediate, queueMicrotask, fetch }),
    ['performance.now', performance.now],
    ['Math.random', Math.random],
    ['process.exit', process.exit],
    ['process.kill', process.kill],
    ['process.stdout.write', process.stdout.write],
    ['process.stderr.write', process.stderr.write],
    ...globals,
    ...listeners,
    ...variables,
  ])
}

const found = surroundings()
// Registered before every hook of the file, so it runs after them.
afterAll(() => {
  const left = surroundings()
  const changed = [...new Set([...found.keys(), ...left.keys()])].filter(
    (name) => found.get(name) !== left.get(name),
  )
  expect(changed, 'what this file changed in the process that the next one runs in').toEqual([])
})
