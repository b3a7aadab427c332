/**
 * What the agent is at the moment: its SVID and the authorities it trusts, in memory and on disk. The disk comes
 * first, so that a crash at any moment leaves an agent that can go on.
 */
import type { Bundle } from '../../spiffe/bundle.ts'
import type { AgentSvid } from './agent-svid.ts'
import type { Attested } from './attest.ts'
import { NO_STATE, type NodeStateStore, type TrustBegins } from './state.ts'

export interface Membership {
  svid(): AgentSvid
  adopt(svid: AgentSvid): Promise<void>
  /** As `adopt`, in memory alone: for a disk that takes nothing. */
  hold(svid: AgentSvid): void
  trust(bundle: Bundle): Promise<void>
  /** Remembers since when the server has been unknown; undefined: it is known. */
  noteTrust(begins: TrustBegins | undefined): Promise<void>
  /** Forgets the SVID: the next start attests anew. */
  resign(): Promise<void>
}

export async function openMembership(
  store: NodeStateStore,
  { svid: first, bundle: firstBundle }: Attested,
  begins?: TrustBegins,
): Promise<Membership> {
  let svid = first
  let bundle = firstBundle
  let trustBegins = begins
  const authorities = () => bundle.x509Authorities.map(({ der }) => der)
  const write = (own: AgentSvid) =>
    store.write({
      svidChain: own.chain,
      authorities: authorities(),
      reattestable: own.reattestable,
      trustBegins,
    })
  await write(svid)
  // What is written is decided at its turn: an SVID that was about to be replaced must not come back to the disk.
  let last: Promise<void> = Promise.resolve()
  const inTurn = (job: () => Promise<void>) => {
    const turn = last.then(job)
    last = turn.catch(() => {}) // the caller hears of it; those behind it are not hindered
    return turn
  }
  return {
    svid: () => svid,
    adopt: (next) =>
      inTurn(async () => {
        await write(next)
        svid = next
      }),
    hold(next) {
      svid = next
    },
    trust(next) {
      bundle = next
      return inTurn(() => write(svid))
    },
    noteTrust(next) {
      trustBegins = next
      return inTurn(() => write(svid))
    },
    resign: () => inTurn(() => store.write({ ...NO_STATE, authorities: authorities() })),
  }
}
