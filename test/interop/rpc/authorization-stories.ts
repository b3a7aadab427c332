/** Who may call what: every method by every kind of caller. */
import { inOurWords, libraryWords } from './accepted.ts'
import { METHOD_NAMES, ON_SOCKET_ALONE } from './methods.ts'
import type { Step } from './story.ts'
import { CALLERS } from './world.ts'

/** An empty message does no harm to state that both sides would not share. */
const attempt = (as: string, call: string): Step => ({
  as,
  call,
  with: call.endsWith('SyncAuthorizedEntries') || call.endsWith('AttestAgent') ? [{}] : {},
})

/** @param as a caller @param call a method, to be called without saying anything */
function accepting(as: string, call: string): Step {
  const step = attempt(as, call)
  if (as === 'downstream' && call === 'SVID/NewDownstreamX509CA') {
    return inOurWords(step, 'malformed CSR: ')
  }
  const isServed = as === 'local' || !ON_SOCKET_ALONE.has(call)
  return isServed && !/^Health\/(List|Watch)$/.test(call) ? step : libraryWords(step)
}

export const AUTHORIZATION: readonly Step[] = CALLERS.flatMap((as) =>
  METHOD_NAMES.map((call) => accepting(as, call)),
)
