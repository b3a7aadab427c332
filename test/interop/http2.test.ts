/** Other people's HTTP/2 against our data path: the conformance suite h2spec, and h2load for many streams at once. */
import { expect } from 'vitest'
import { run } from '../processes/process.ts'
import { openHttp2Proxy } from '../proxy/http/judged-proxy.ts'
import { listenHttp2 } from '../proxy/http2/http2-peers.ts'
import { interop, peer } from './interop.ts'

/**
 * What nghttp2, inside of Node, decides otherwise: it ignores frames on streams that are closed and the deprecated priorities
 * (RFC 9113 §5.3.2), and closes the connection where h2spec wants less. A bare `node:http2` server has the same list.
 */
const OTHERWISE: ReadonlySet<string> = new Set([
  'closed: Sends a DATA frame after sending RST_STREAM frame',
  'closed: Sends a HEADERS frame after sending RST_STREAM frame',
  'closed: Sends a DATA frame',
  'closed: Sends a HEADERS frame',
  'Sends stream identifier that is numerically smaller than previous',
  'Sends PRIORITY frame that depend on itself',
  'Sends a PRIORITY frame with 0x0 stream identifier',
  'Sends a PING frame with ACK',
  'Sends multiple WINDOW_UPDATE frames increasing the flow control window to above 2^31-1 on a stream',
])

interop('h2spec finds nothing but what nghttp2 decides otherwise', ['h2spec'], async () => {
  await using server = await listenHttp2((stream) => {
    stream.resume()
    stream.respond({ ':status': 200 })
    stream.end('x'.repeat(1024))
  })
  await using proxy = await openHttp2Proxy({ upstreamPort: server.port })
  const args = ['-h', '127.0.0.1', '-p', String(proxy.port), '--timeout', '2']
  const { stdout } = await run(peer('h2spec'), args)
  expect(stdout).toMatch(/14[56] tests, 1[34][0-9] passed/)
  const failed = [...stdout.matchAll(/× (?:[0-9]+: )?([^\n\r]+)/g)].map(
    ([, title]) => title?.trim() ?? '',
  )
  expect(failed.filter((title) => !OTHERWISE.has(title))).toEqual([])
})

interop(
  'h2load has each of its requests answered, on many streams at once',
  ['h2load'],
  async () => {
    await using server = await listenHttp2((stream) => {
      stream.respond({ ':status': 200 })
      stream.end('x'.repeat(1024))
    })
    await using proxy = await openHttp2Proxy({ upstreamPort: server.port })
    const url = `http://127.0.0.1:${proxy.port}/`
    const { stdout } = await run(peer('h2load'), ['-n', '5000', '-c', '8', '-m', '50', url])
    expect(stdout).toContain('5000 succeeded, 0 failed, 0 errored, 0 timeout')
    await expect.poll(() => proxy.records.length).toBe(5000)
  },
)
