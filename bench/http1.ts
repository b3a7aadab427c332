/** How many HTTP/1 heads a core reads per second, and what a rewritten one costs; llhttp has no interface of its own to measure beside. */
import { DEFAULT_HTTP_LIMITS } from '../proxy/http/limits.ts'
import { clearHead } from '../proxy/http1/head.ts'
import { readHead } from '../proxy/http1/read-head.ts'
import { newRequestHead } from '../proxy/http1/request-head.ts'
import { requestView } from '../proxy/http1/request-view.ts'
import { rewriteRequest } from '../proxy/http1/rewrite-head.ts'

const SECONDS = 2
const BATCH = 10_000

const SMALL =
  'GET /api/v1/carts/4711?full=1 HTTP/1.1\r\nHost: cart.shop:8080\r\nAccept: */*\r\n\r\n'
const BROWSER = [
  'GET /api/v1/carts/4711?full=1 HTTP/1.1',
  'Host: cart.shop.svc.cluster.local:8080',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Accept-Language: en-GB,en;q=0.9,de;q=0.8',
  'Cookie: session=0123456789abcdef0123456789abcdef; theme=dark',
  'Authorization: Bearer 0123456789abcdef0123456789abcdef0123456789abcdef',
  'X-Request-Id: 6f0c2f1e-6a52-4a51-9d76-0f3b0e6f7c11',
  'Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  '\r\n',
].join('\r\n')

const EDITS = {
  path: undefined,
  remove: ['x-forwarded-client-cert'],
  add: [
    [
      'x-forwarded-client-cert',
      `By=spiffe://cluster.local/ns/shop/sa/cart;Hash=${'a'.repeat(64)};Subject="";URI=spiffe://cluster.local/ns/web/sa/front`,
    ],
    ['x-forwarded-proto', 'https'],
  ],
} as const

function measure(name: string, once: () => void): void {
  for (let warm = 0; warm < BATCH; warm += 1) once()
  // Processor time, not the clock on the wall: others may be using the machine.
  const started = process.cpuUsage()
  let count = 0
  let seconds = 0
  while (seconds < SECONDS) {
    for (let index = 0; index < BATCH; index += 1) once()
    count += BATCH
    const { user, system } = process.cpuUsage(started)
    seconds = (user + system) / 1e6
  }
  const perSecond = count / seconds
  console.log(
    `${name.padEnd(44)} ${Math.round(perSecond).toLocaleString('en')}/s  ${(1e6 / perSecond).toFixed(2)} µs`,
  )
}

/** `npm run bench http1` */
export function benchHttp1(): void {
  for (const [name, text] of [
    ['2 headers', SMALL],
    ['9 headers', BROWSER],
  ] as const) {
    const bytes = Buffer.from(text)
    const head = newRequestHead(DEFAULT_HTTP_LIMITS)
    const view = requestView(head)
    measure(`head of ${bytes.length} bytes, ${name}`, () => {
      clearHead(head)
      readHead(head, bytes, 0)
    })
    measure('  with method, path and one header as text', () => {
      clearHead(head)
      readHead(head, bytes, 0)
      if (`${view.method}${view.path}${view.headerLines('x-request-id')}` === '')
        throw new Error('none')
    })
    measure('  rewritten with two lines more', () => {
      clearHead(head)
      readHead(head, bytes, 0)
      rewriteRequest(head, EDITS, false)
    })
  }
}
