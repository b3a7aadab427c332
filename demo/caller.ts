/**
 * A service of the demo: calls the greeter without pause, on one connection that stays open and on a new one each
 * time, and says once a second how many calls succeeded, how many failed, and who signed its SVID.
 */
import { X509Certificate } from 'node:crypto'
import { type Agent, request } from 'node:https'
import { text } from 'node:stream/consumers'
import { systemClock } from '../spiffe/clock.ts'
import { authorizeId, httpsAgent, openJwtSource, openX509Source } from '../workload/workload.ts'
import { print } from './print.ts'

const port = Number(process.argv[2])
const PAUSE_MS = 20
const REPORT_EVERY = 25

const source = await openX509Source()
const tokens = await openJwtSource()
print({ event: 'svid', id: source.current().defaultSvid.id })

const toGreeter = authorizeId('spiffe://demo.example/greeter')
const kept = httpsAgent(source, toGreeter, { maxSockets: 1 })
const fresh = httpsAgent(source, toGreeter, { keepAlive: false })

function call(agent: Agent, headers: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, agent, headers }, (response) => {
      text(response).then(resolve, reject)
    })
      .on('error', reject)
      .end()
  })
}

const { token } = await tokens.fetchJwtSvid({ audience: 'greeter' })
print({ event: 'answer', text: await call(fresh, { authorization: `Bearer ${token}` }) })

const counts = { calls: 0, failures: 0, svids: 1 }
let lastFailure = ''
source.onChange(() => {
  counts.svids++
})
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())

while (!stop.signal.aborted) {
  for (const agent of [kept, fresh]) {
    counts.calls++
    await call(agent).catch((error: Error) => {
      counts.failures++
      lastFailure = error.message
    })
  }
  if (counts.calls % (2 * REPORT_EVERY) === 0) {
    const signer = new X509Certificate(Buffer.from(source.current().defaultSvid.chain[0] ?? ''))
      .issuer
    print({ event: 'report', ...counts, lastFailure, signer })
  }
  await systemClock.sleep(PAUSE_MS, stop.signal)
}
kept.destroy()
fresh.destroy()
await tokens[Symbol.asyncDispose]()
await source[Symbol.asyncDispose]()
