/**
 * A look at the first bytes of a connection whose caller has been admitted already. It is entered among the open ones while its
 * client takes its time, for whoever is silent now must be found by a change of policy, identity or bundles as all others are.
 */
import type { LiveConnection } from '../enforce/connections.ts'
import type { ProxyContext } from '../proxy.ts'
import { refusalLine } from '../telemetry/access-lines.ts'
import { lookAtPlaintext } from './first-bytes.ts'
import type { Incoming } from './incoming.ts'

/**
 * @param stillAdmits why it may not go on any more, whatever it carries
 * @param done must enter the connection itself before it returns; not called for one that has gone or was closed
 */
export function lookAtAdmitted(
  context: ProxyContext,
  incoming: Incoming,
  stillAdmits: () => string | undefined,
  done: (...seen: Parameters<Parameters<typeof lookAtPlaintext>[2]>) => void,
): void {
  const { stream, direction, listener, source, destination, peer, openedAt } = incoming
  const live: LiveConnection = {
    ...{ direction, listener, source, destination, peer, openedAt, protocol: 'tcp' },
    rejudge() {
      const reason = stillAdmits()
      return reason === undefined ? undefined : `policy change: ${reason}`
    },
    drain: () => void stream.destroy(), // nothing is in flight on it
    close(reason) {
      refusalLine(context, { listener, source, destination }, reason, 'DENY', direction)
      stream.destroy()
    },
    report: () => undefined, // the look has a time-out of its own
  }
  const leave = context.connections.add(live)
  stream.once('close', leave)
  lookAtPlaintext(context, stream, (kind) => {
    done(kind)
    stream.off('close', leave)
    leave()
  })
}
