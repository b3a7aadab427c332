/**
 * `workload-calls.ts SOCKET CALLS PAUSE_MS`: asks for X.509-SVIDs again and again over one connection, and minds no refusal.
 * It is a program of its own so that it can run in a control group.
 */
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { systemClock } from '../spiffe/clock.ts'

const [socket = '', calls = '1', pauseMs = '0'] = process.argv.slice(2)
const session = connectHttp2('http://localhost', { createConnection: () => connect(socket) })
for (let index = 0; index < Number(calls); index++) {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/SpiffeWorkloadAPI/FetchX509SVID',
    'content-type': 'application/grpc',
    te: 'trailers',
    'workload.spiffe.io': 'true',
  })
  stream.end(Buffer.alloc(5)).resume()
  await once(stream, 'close')
  await systemClock.sleep(Number(pauseMs))
}
session.close()
