/**
 * Preloaded into a server, makes a program of the next version of it: the same, with one migration more. The version before
 * is the program as it is.
 */
import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const urlOf = (...path: readonly string[]) =>
  pathToFileURL(join(import.meta.dirname, '..', '..', '..', ...path)).href

const STORE = urlOf('server', 'store', 'postgres', 'open-store.ts')
const MIGRATIONS = urlOf('server', 'store', 'postgres', 'migrations.ts')

registerHooks({
  resolve(specifier, context, resolveNext) {
    const found = resolveNext(specifier, context)
    const isTheirs = found.url === MIGRATIONS && context.parentURL === STORE
    return isTheirs
      ? { ...found, url: urlOf('test', 'e2e', 'rolling-upgrade', 'migrations.ts') }
      : found
  },
})
