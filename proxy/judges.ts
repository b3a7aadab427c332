/** What judges: the policies in force for each workload of the proxy, compiled from one source for one thread. */
import type { VerifyToken } from '../policy/authenticate-request.ts'
import type { ProxyConfig } from './config.ts'
import { createEngine, type Engine } from './enforce/engine.ts'
import type { KillSwitch } from './enforce/kill-switch.ts'
import type { ExtAuthzProviders } from './ext-authz/providers.ts'
import type { ProxyIdentity } from './identity/identity.ts'
import type { Identities } from './identity/open-identity.ts'
import { type NodeWorkloads, openNodeWorkloads } from './node-workloads.ts'
import type { PolicySource } from './policy-source/policy-source.ts'
import type { ProxyContext } from './proxy.ts'
import type { Self } from './self.ts'

/** Where everything that is judged by comes from. */
export interface Sources {
  readonly identities: Identities
  readonly source: PolicySource
  readonly killSwitch: KillSwitch
}

export interface JudgesOptions extends Sources {
  readonly config: ProxyConfig
  readonly context: ProxyContext
  readonly providers: ExtAuthzProviders
  /** The proxy's own workload. */
  readonly self: Self
  readonly verify: VerifyToken
}

export interface Judges extends Disposable {
  /** Of the proxy's own workload. */
  readonly engine: Engine
  readonly workloads: NodeWorkloads
}

/** Waits for the identity of each workload. @throws as `openNodeWorkloads` */
export async function openJudges(options: JudgesOptions): Promise<Judges> {
  const { config, context, identities, source, killSwitch, providers, self, verify } = options
  const { log } = context
  const engineOf = ({ workload }: Self, identity: ProxyIdentity) =>
    createEngine({
      ...{ source, killSwitch, workload, providers, log },
      self: () => identity.current().defaultSvid.id,
    })
  const engine = engineOf(self, identities.own)
  try {
    const own = { context, engine, self, verify }
    const workloads = await openNodeWorkloads({ config, identities, createEngine: engineOf, own })
    return {
      ...{ engine, workloads },
      [Symbol.dispose]() {
        workloads[Symbol.dispose]()
        engine[Symbol.dispose]()
      },
    }
  } catch (error) {
    engine[Symbol.dispose]()
    throw error
  }
}
