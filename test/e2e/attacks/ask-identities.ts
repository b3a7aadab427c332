/** Asks for X.509-SVIDs over a connection that somebody else may have made, and says what came of it in one word for each. */
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'

const HEADERS = {
  ':method': 'POST',
  ':path': '/SpiffeWorkloadAPI/FetchX509SVID',
  'content-type': 'application/grpc',
  te: 'trailers',
  'workload.spiffe.io': 'true',
}
const EMPTY_MESSAGE = Buffer.alloc(5)

/**
 * @param socketPath of a Workload API, or of who relays to one
 * @param names last steps of SPIFFE IDs that may come
 * @returns those of the first message; or `cut` when the connection ended, `refused` when the answer was a status
 */
export function askIdentities(
  socketPath: string,
  names: readonly string[],
): Promise<readonly string[] | 'cut' | 'refused'> {
  return new Promise((resolve) => {
    const socket = connect(socketPath)
    const session = connectHttp2('http://localhost', { createConnection: () => socket })
    const end = (with_: readonly string[] | 'cut' | 'refused') => {
      resolve(with_)
      session.destroy()
    }
    session.on('error', () => end('cut'))
    session.on('close', () => end('cut'))
    const call = session.request(HEADERS)
    call.on('error', () => {})
    call.on('response', (headers) => {
      if (headers['grpc-status'] !== undefined) end('refused')
    })
    call.on('trailers', () => end('refused'))
    const chunks: Buffer[] = []
    call.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      const all = Buffer.concat(chunks)
      if (all.length < EMPTY_MESSAGE.length + all.readUInt32BE(1)) return
      const text = all.toString('latin1')
      end(names.filter((name) => text.includes(`spiffe://example.org/${name}`)))
    })
    call.end(EMPTY_MESSAGE)
  })
}
