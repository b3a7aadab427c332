/**
 * The bundle from an HTTP server on a Unix socket of this machine, which is told for whom and in which state it is
 * wanted, so that it can choose. Whoever may listen there is trusted; the answer is bounded.
 *
 * @see SPIRE behaviour §11 — trust_bundle_unix_socket
 */
import type { IncomingMessage } from 'node:http'
import { request } from '../../proto/node-http.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import type { TrustBegins } from './state.ts'

export interface Attempt extends TrustBegins {
  readonly serverAddress: string
  readonly serverPort: number
  readonly trustDomain: TrustDomain
}

export interface SocketFetch {
  readonly url: string
  readonly socketPath: string
  readonly attempt: Attempt
  readonly maxBytes: number
  readonly signal: AbortSignal
}

/** @throws what http does, or why the answer is none */
export async function fetchFromSocket(options: SocketFetch): Promise<string> {
  const { socketPath, maxBytes, signal } = options
  const url = withAttempt(options.url, options.attempt)
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, { socketPath, signal, agent: false }, resolve).once('error', reject).end()
  })
  if (response.statusCode !== 200) {
    response.destroy()
    throw new Error(`HTTP status ${response.statusCode}, expected 200`)
  }
  const parts: Buffer[] = []
  let size = 0
  for await (const part of response) {
    // Cast: without an encoding a response is read in Buffers.
    parts.push(part as Buffer)
    size += (part as Buffer).length
    if (size > maxBytes) throw new Error(`more than ${maxBytes} bytes`)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** The parameters that SPIRE's agent sends. */
function withAttempt(
  address: string,
  { mode, attempts, since, serverAddress, serverPort, trustDomain }: Attempt,
): URL {
  const url = new URL(address)
  const parameters = {
    'spire-attest-mode': mode,
    'spire-connection-attempts': String(attempts),
    'spire-attest-start-time': since.toISOString().replace(/\.\d+Z$/, 'Z'),
    'spire-server-address': serverAddress,
    'spire-server-port': String(serverPort),
    'spiffe-trust-domain': trustDomain,
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url
}
