/**
 * What the agent is at the moment: its SVID and the authorities it trusts, in memory and on disk. The disk comes
 * first, so that a crash at any moment leaves an agent that can go on.
 */
import type { Bundle } from '../../spiffe/bundle.ts'
import type { AgentSvid } from './agent-svid.ts'
import type { Attested } from './attest.ts'
import { NO_STATE, type NodeStateStore } from './state.ts'

export interface Membership {
  svid(): AgentSvid
  adopt(svid: AgentSvid): Promise<void>
  trust(bundle: Bundle): Promise<void>
  /** Forgets the SVID: the next start attests anew. */
  resign(): Promise<void>
}

export async function openMembership(
  store: NodeStateStore,
  { svid: first, bundle: firstBundle }: Attested,
): Promise<Membership> {
  let svid = first
  let bundle = firstBundle
  const authorities = () => bundle.x509Authorities.map(({ der }) => der)
  const write = (own: AgentSvid) =>
    store.write({
      svidChain: own.chain,
      authorities: authorities(),
      reattestable: own.reattestable,
    })
  await write(svid)
  return {
    svid: () => svid,
    async adopt(next) {
      await write(next)
      svid = next
    },
    async trust(next) {
      bundle = next
      await write(svid)
    },
    resign: () => store.write({ ...NO_STATE, authorities: authorities() }),
  }
}
