/**
 * Control groups of a test's own, named as those of containers, and programs that run in them. Needs root and the
 * hierarchies of version 1, with or without that of version 2 beside them, as some machines have them.
 */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { type Running, start } from '../processes/process.ts'

const ROOT = '/sys/fs/cgroup'
/** The one that may be told to contradict the others. */
const ODD = 'freezer'

/** Why there can be none here; undefined when there can. */
export function noControlGroups(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root'
  if (!existsSync(join(ROOT, ODD))) return 'needs control groups of version 1'
  try {
    accessSync(join(ROOT, ODD), constants.W_OK)
    return undefined
  } catch {
    return `needs ${ROOT} to be writable`
  }
}

export interface ControlGroup extends Disposable {
  /** As a directory of the machine, in one of the hierarchies. */
  readonly path: string
  /** Starts a program in it. */
  start(command: string, args: readonly string[]): Running
}

/** @param path in all hierarchies, or in all but the odd one; what is above it is made as well */
export function controlGroup(path: string, odd = path): ControlGroup {
  const groups = readdirSync(ROOT, { withFileTypes: true })
    .filter((one) => one.isDirectory() && existsSync(join(ROOT, one.name, 'cgroup.procs')))
    .map(({ name }) => ({ root: join(ROOT, name), path: name === ODD ? odd : path }))
  const dirs = groups.map((group) => join(group.root, group.path))
  for (const group of groups) makeBelow(group.root, group.path)
  return {
    path: join(ROOT, 'pids', path),
    start(command, args) {
      const moves = dirs.map((dir) => `echo $$ > '${dir}/cgroup.procs'`).join(' && ')
      return start('sh', ['-c', `${moves} && exec "$@"`, 'sh', command, ...args])
    },
    [Symbol.dispose]() {
      for (const group of groups) removeUpTo(group.root, join(group.root, group.path))
    },
  }
}

/** Processors and memory are not inherited: a group without them takes no process. */
function makeBelow(root: string, path: string): void {
  let dir = root
  for (const name of path.split('/').filter((one) => one !== '')) {
    dir = join(dir, name)
    if (existsSync(dir)) continue
    mkdirSync(dir)
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      if (!existsSync(join(dir, file))) continue
      writeFileSync(join(dir, file), readFileSync(join(dirname(dir), file)))
    }
  }
}

/** Groups above it that others still use stay. */
function removeUpTo(root: string, dir: string): void {
  for (let path = dir; path.length > root.length; path = dirname(path)) {
    try {
      rmdirSync(path)
    } catch {
      return // somebody else has it
    }
  }
}
