/**
 * One workload of a crowd: a stream of the Workload API of its own, opened in a group of its own, and with what comes
 * over it both ends of mutual TLS. Nothing is kept alive artificially: with an SVID that has ended, its calls fail.
 */
import type { TLSSocket } from 'node:tls'
import { systemClock } from '../../../spiffe/clock.ts'
import type { IdentityError } from '../../../spiffe/error.ts'
import { systemRandom } from '../../../spiffe/random.ts'
import { follow } from '../../../workload/follow.ts'
import { createLatest } from '../../../workload/latest.ts'
import { authorizeAny } from '../../../workload/tls/authorize.ts'
import { createMtlsServer } from '../../../workload/tls/mtls-server.ts'
import type { TlsIdentity } from '../../../workload/tls/tls-identity.ts'
import { readStream } from '../../../workload/workload-client.ts'
import { readX509Response, type X509Context } from '../../../workload/x509-context.ts'
import type { Member } from './messages.ts'
import { createTurns } from './turns.ts'

export interface WorkloadEvents {
  onSvid(now: X509Context, before: X509Context | undefined): void
  /** The stream broke. */
  onBroken(error: IdentityError): void
  /** A caller was refused. */
  onRefused(error: IdentityError): void
}

export interface StormWorkload extends AsyncDisposable {
  readonly id: string
  readonly port: number
  readonly identity: TlsIdentity
}

/** The group belongs to the process, and the agent looks at it until the first answer. */
const turns = createTurns()

/** Resolves when it has its first SVID and takes connections. */
export async function openWorkload(
  socket: string,
  { id, gid }: Member,
  events: WorkloadEvents,
): Promise<StormWorkload> {
  const latest = createLatest<X509Context>()
  const closing = new AbortController()
  async function* open(signal: AbortSignal) {
    const giveBack = await turns.take()
    try {
      process.setegid?.(gid)
      const messages = readStream(
        `unix:${socket}`,
        (client, metadata) => client.FetchX509SVID({}, metadata),
        signal,
      )
      for await (const message of messages) {
        giveBack()
        yield message
      }
    } finally {
      giveBack()
    }
  }
  let before: X509Context | undefined
  const following = follow(
    {
      open,
      onMessage(message) {
        const context = readX509Response(message, (svids) => svids.find((one) => one.id === id))
        latest.set(context)
        events.onSvid(context, before)
        before = context
      },
      onFailure: (error) => events.onBroken(error),
      ...{ clock: systemClock, random: systemRandom },
    },
    closing.signal,
  )
  await latest.first()
  const server = createMtlsServer(latest, authorizeAny(), tellAndEcho, {
    onRefused: (error) => events.onRefused(error),
  })
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  return {
    ...{ id, port, identity: latest },
    async [Symbol.asyncDispose]() {
      closing.abort()
      latest.close()
      await Promise.all([following, server[Symbol.asyncDispose]()])
    },
  }
}

/** Says who it has verified, then sends back what it is sent. */
function tellAndEcho(socket: TLSSocket, peer: string): void {
  socket.on('error', () => {}) // a caller may go as it likes
  socket.write(`${peer}\n`)
  socket.pipe(socket)
}
