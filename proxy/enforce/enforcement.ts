/** What a listener asks about a connection; behind it stands the newest policy, whole. */
import type { ConnectionFacts } from '../../policy/facts.ts'
import type { ObjectName } from '../../policy/resource.ts'
import type { Verdict } from '../../policy/verdict.ts'
import type { ConnectionJudge } from '../ext-authz/connection-judge.ts'
import type { GateMode } from '../listen/gate.ts'

export interface Enforcement {
  /** What PeerAuthentication says of a port of the workload. */
  modeOf(port: number): GateMode
  /** The PeerAuthentications that say it; none where it is the mesh's default. */
  modeSources(): readonly ObjectName[]
  /** The mode of a listener that takes mutual TLS alone: STRICT, but for the emergency switch. */
  strictMode(): GateMode
  /** May these bytes go on, whatever is in them? Denies what an external provider would have to be asked about. */
  judgeConnection(facts: ConnectionFacts): Verdict
  /** The same with external providers, for the whole life of a connection. */
  connectionJudge(facts: ConnectionFacts): ConnectionJudge
  /** Would they be denied whatever is in them? An `allow` is no permission yet: what comes is judged again. */
  judgeWhateverComes(facts: ConnectionFacts): Verdict
  /** Told after every change, when the new policy is in force already. */
  onChange(listener: () => void): Disposable
}
