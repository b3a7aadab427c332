/**
 * The node attestors of a running server, made anew when it is told to reload: those whose data is in a
 * `plugin_data_file`, as in SPIRE. What cannot be read or opened changes nothing.
 *
 * @see SPIRE behaviour §10 — SIGUSR1
 */
import type { Log } from '../../log/open-log.ts'
import type { NodeAttestorConfig, ServerConfig } from '../config.ts'
import type { NodeAttestor } from './node-attestor.ts'

export type Attestors = Pick<ReadonlyMap<string, NodeAttestor>, 'get'>

export interface Reload {
  /** Calls `listener` each time that the server is told to. */
  onReload(listener: () => void): void
  /** The configuration as it is now. @throws IdentityError CONFIG_INVALID */
  reread(): ServerConfig
}

export interface ReloadDeps {
  open(configs: readonly NodeAttestorConfig[]): Attestors
  /** Undefined: nobody ever tells it to. */
  readonly reload: Reload | undefined
  readonly log: Log
}

export function reloadAttestors(
  config: Pick<ServerConfig, 'nodeAttestors' | 'attestorsInFiles'>,
  { open, reload, log }: ReloadDeps,
): Attestors {
  let configs = config.nodeAttestors
  let current = open(configs)
  reload?.onReload(() => {
    const types = config.attestorsInFiles
    if (types.length === 0) {
      log.info('Told to reload, but no plugin has a plugin_data_file that can be reloaded')
      return
    }
    try {
      const next = reloaded(configs, reload.reread().nodeAttestors, types)
      current = open(next)
      configs = next
      log.info({ node_attestors: types }, 'Reloaded the plugin_data_file of node attestors')
    } catch (err) {
      log.error({ err }, 'Could not reload; the node attestors go on as they were')
    }
  })
  return { get: (type) => current.get(type) }
}

/** The attestors that run, with the data of these types as it is now. */
export function reloaded(
  running: readonly NodeAttestorConfig[],
  reread: readonly NodeAttestorConfig[],
  types: readonly string[],
): readonly NodeAttestorConfig[] {
  return running.map((one) => {
    if (!types.includes(one.kind)) return one
    return reread.find(({ kind }) => kind === one.kind) ?? one
  })
}
