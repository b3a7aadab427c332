/**
 * The workload that a delegate asks for: by selectors, which are believed, or by the number of a process, which is attested here.
 * A process is the same one for as long as a stream goes on; when it ends, so does the stream.
 */
import { fromWireSelector } from '../../proto/wire.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { Selector } from '../../spiffe/selector.ts'
import type { Attest } from '../attest/attest.ts'
import { namedProcess } from '../attest/named-process.ts'

export interface Subject {
  readonly selectors: ReadonlySet<Selector>
  /** @throws IdentityError ATTESTATION_FAILED when the process that was attested has ended */
  requireThere(): void
}

export interface SubjectRequest {
  readonly selectors: readonly { readonly type: string; readonly value: string }[]
  readonly pid: number
}

const EITHER = 'must provide either selectors or non-zero PID, but not both'
const FAILED = 'workload attestation failed'

/** @throws IdentityError REQUEST_INVALID in SPIRE's words, ATTESTATION_FAILED */
export async function subjectOf(
  { selectors, pid }: SubjectRequest,
  attest: Attest,
  signal: AbortSignal,
): Promise<Subject> {
  if (selectors.length > 0 === (pid !== 0)) throw new IdentityError('REQUEST_INVALID', EITHER)
  if (pid === 0) return { selectors: parseSelectors(selectors), requireThere() {} }
  const process = namedProcess(pid)
  if (process === undefined) throw failed(`there is no process ${pid} where the agent runs`)
  const requireThere = () => {
    if (!process.isAlive()) throw failed(`process ${pid} has ended`)
  }
  try {
    return { selectors: await attest(process, signal), requireThere }
  } catch (error) {
    // That another process has its number is no refusal of the delegate, but of what it asked for.
    if (!(error instanceof IdentityError) || error.code !== 'CALLER_UNIDENTIFIED') throw error
    throw failed(`process ${pid} is not what it was when it was asked for`, error)
  }
}

function parseSelectors(wire: SubjectRequest['selectors']): ReadonlySet<Selector> {
  try {
    return new Set(wire.map(fromWireSelector))
  } catch (cause) {
    throw new IdentityError('REQUEST_INVALID', 'could not parse provided selectors', { cause })
  }
}

function failed(why: string, cause?: unknown): IdentityError {
  return new IdentityError('ATTESTATION_FAILED', `${FAILED}: ${why}`, { cause })
}
