/**
 * The package as users have it: compiled, in a directory of its own beside a link to our dependencies. A checkout runs its sources,
 * and Node then strips the types of hundreds of files at each start.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, globSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
/** Beside `dist`: what the launcher needs. */
const BESIDE = ['steeple', 'package.json']

export interface BuiltPackage extends Disposable {
  /** The `steeple` launcher. */
  readonly command: string
}

/** Disposing removes it. @throws Error when the sources do not compile */
export function buildPackage(): BuiltPackage {
  const dir = mkdtempSync(join(tmpdir(), 'steeple-built-'))
  const remove = () => rmSync(dir, { recursive: true, force: true })
  try {
    const dist = join(dir, 'dist')
    const compiler = join(ROOT, 'node_modules', '.bin', 'tsc')
    execFileSync(compiler, ['-p', 'tsconfig.build.json', '--outDir', dist], {
      ...{ cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] },
    })
    for (const file of globSync('proto/**/*.proto', { cwd: ROOT })) {
      cpSync(join(ROOT, file), join(dist, file))
    }
    for (const file of BESIDE) cpSync(join(ROOT, file), join(dir, file))
    symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'))
    return { command: join(dir, 'steeple'), [Symbol.dispose]: remove }
  } catch (error) {
    remove()
    throw error
  }
}
