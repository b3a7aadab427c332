/**
 * The `unix` attestor: selectors for the effective user and groups of a process and, when asked for, for its
 * program. A user or group without a name gets no name selector, only its number.
 *
 * @see SPIRE behaviour §4 — selectors of the unix attestor
 */
import type { UnixCaller } from '../../../proto/peer-credentials.ts'
import { type Selector, selector } from '../../../spiffe/selector.ts'
import { readProcessIds } from '../process-status.ts'
import type { SeenCaller, WorkloadAttestor } from '../workload-attestor.ts'
import { type AccountNames, openAccountNames } from './account-names.ts'
import { openProgram } from './executable.ts'

export interface UnixAttestorOptions {
  readonly discoverWorkloadPath: boolean
  /** 0: no limit; below 0: programs are never hashed. */
  readonly workloadSizeLimitBytes: number
  readonly names?: AccountNames
}

const TYPE = 'unix'

export function unixAttestor(options: UnixAttestorOptions): WorkloadAttestor {
  const names = options.names ?? openAccountNames()
  return {
    type: TYPE,
    async attest(caller, signal) {
      const owner = await ownerSelectors(caller, names)
      if (!options.discoverWorkloadPath) return owner
      return [...owner, ...(await programSelectors(caller, options.workloadSizeLimitBytes, signal))]
    },
  }
}

/**
 * User and group are those that the kernel told when the caller connected: attestation refuses whoever has others before
 * or afterwards, and who becomes another for the moment in between, by a set-user-ID program, gains nothing.
 */
async function ownerSelectors(
  { pid, uid, gid, ids }: SeenCaller,
  names: AccountNames,
): Promise<Selector[]> {
  const { supplementaryGids } = ids ?? readProcessIds(pid)
  const found = [
    ...numberAndName('uid', uid, 'user', await names.userName(uid)),
    ...numberAndName('gid', gid, 'group', await names.groupName(gid)),
  ]
  for (const one of supplementaryGids) {
    const name = await names.groupName(one)
    found.push(...numberAndName('supplementary_gid', one, 'supplementary_group', name))
  }
  return found
}

async function programSelectors(
  { pid }: UnixCaller,
  limitBytes: number,
  signal: AbortSignal,
): Promise<Selector[]> {
  await using program = await openProgram(pid)
  const path = selector(TYPE, `path:${await program.readPath()}`)
  if (limitBytes < 0) return [path]
  return [path, selector(TYPE, `sha256:${await program.hash(limitBytes, signal)}`)]
}

function numberAndName(
  numberKey: string,
  number: number,
  nameKey: string,
  name: string | undefined,
): Selector[] {
  const numbered = selector(TYPE, `${numberKey}:${number}`)
  return name === undefined ? [numbered] : [numbered, selector(TYPE, `${nameKey}:${name}`)]
}
