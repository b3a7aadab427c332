/**
 * The port that the kubelet's probes are rewritten to: `GET /probe/<name>` asks the workload the one question of that name, at
 * the address that the kubelet came to. It is open to whoever reaches the pod, so it tells a status and nothing else, and one
 * question is asked once at a time: who asks meanwhile gets the same answer.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Address, showAddress } from '../../config/address.ts'
import type { Log } from '../../log/open-log.ts'
import { bindServer, endServer } from '../../proto/bind-server.ts'
import { createServer } from '../../proto/node-http.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { deadlineIn } from '../../spiffe/deadline.ts'
import type { AskProbe, Probe, ProbeAnswer } from './probe.ts'

export interface ServeProbesOptions {
  readonly listen: Extract<Address, { readonly kind: 'tcp' }>
  readonly probes: readonly Probe[]
  readonly ask: AskProbe
  readonly clock: Clock
  readonly log: Log
}

export interface ProbeListener extends AsyncDisposable {
  readonly address: Address
}

const MAX_CONNECTIONS = 1_000
/**
 * The kubelet asks all probes of a pod from one address. Who else reaches the port may not take what it needs, for a probe
 * that is not answered ends the container.
 */
const MAX_CONNECTIONS_PER_ADDRESS = 32
const REQUEST_TIMEOUT_MS = 5_000
/** How often connections are looked at for the timeout. */
const CHECK_MS = 1_000
/** Longer than any kubelet waits, who then asks again. */
const ANSWER_MS = 60_000
const MAX_HEADER_BYTES = 8 * 1024
const PREFIX = '/probe/'

/** @throws IdentityError CONFIG_INVALID when the address cannot be had */
export async function serveProbes(options: ServeProbesOptions): Promise<ProbeListener> {
  const { listen, log } = options
  const questions = openQuestions(options)
  const server = createServer(
    {
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    (request, response) => void answer(questions, request, response),
  )
  server.maxConnections = MAX_CONNECTIONS
  shareByAddress(server)
  const place = { shown: showAddress(listen), key: 'proxy.probes.listen' }
  const port = await bindServer(server, { host: listen.host, port: listen.port }, place)
  const address = { ...listen, port }
  log.info({ address: showAddress(address) }, 'Serving probes')
  return {
    address,
    [Symbol.asyncDispose]: () => endServer(server, () => server.closeAllConnections()),
  }
}

/** Who holds its share already is cut off at once, and the others are served. */
function shareByAddress(server: Server): void {
  const open = new Map<string, number>()
  server.on('connection', (socket: Socket) => {
    const from = socket.remoteAddress ?? ''
    const own = open.get(from) ?? 0
    if (own >= MAX_CONNECTIONS_PER_ADDRESS) {
      socket.destroy()
      return
    }
    open.set(from, own + 1)
    socket.once('close', () => {
      const left = (open.get(from) ?? 1) - 1
      if (left === 0) open.delete(from)
      else open.set(from, left)
    })
  })
}

type Ask = (name: string, ip: string) => Promise<ProbeAnswer> | undefined

function openQuestions({ probes, ask, clock, log }: ServeProbesOptions): Ask {
  const byName = new Map(probes.map(({ name, question }) => [name, question]))
  /** At most one for each probe and address. */
  const asking = new Map<string, Promise<ProbeAnswer>>()
  return (name, ip) => {
    const question = byName.get(name)
    if (question === undefined) return undefined
    const key = `${name} ${ip}`
    const known = asking.get(key)
    if (known !== undefined) return known
    const deadline = deadlineIn(ANSWER_MS, clock)
    const asked = ask(question, ip, deadline.signal)
      .then((said) => {
        if (said.kind === 'none') log.debug({ probe: name, reason: said.why }, 'Probe not answered')
        return said
      })
      .finally(() => {
        asking.delete(key)
        deadline[Symbol.dispose]()
      })
    asking.set(key, asked)
    return asked
  }
}

async function answer(ask: Ask, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const send = (status: number, text: string) => {
    response.writeHead(status, { 'content-type': 'text/plain', connection: 'close' })
    response.end(`${text}\n`)
  }
  const path = (request.url ?? '').replace(/\?.*$/s, '')
  if (request.method !== 'GET' || !path.startsWith(PREFIX)) return send(404, 'no such probe')
  const asked = ask(path.slice(PREFIX.length), localIp(request))
  if (asked === undefined) return send(404, 'no such probe')
  const said = await asked
  if (said.kind === 'none') return send(503, 'the workload does not answer')
  // A body or headers of the workload are nobody's business here; 1xx and the like are no answers.
  return send(said.status >= 200 && said.status <= 599 ? said.status : 503, 'asked')
}

/** Where the kubelet came to is where the workload listens, if it listens for others at all. */
function localIp({ socket }: IncomingMessage): string {
  return (socket.localAddress ?? '127.0.0.1').replace(/^::ffff:(?=\d+\.)/, '')
}
