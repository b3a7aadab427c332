/** `steeple mtls report` at proxies that say what they are told. */
import { expect, test } from 'vitest'
import { run } from '../run.ts'
import { json, openScriptedProxy } from './scripted-proxy.ts'

const SINCE = '2026-01-01T00:00:00.000Z'
const LATER = '2026-01-02T00:00:00.000Z'

const caller = (change: object = {}) => ({
  ...{ port: 8080, mode: 'PERMISSIVE', source_ip: '10.0.0.1', connections: 3 },
  ...{ first_seen: SINCE, last_seen: LATER, ...change },
})

const told = (change: object = {}) => ({
  workload: { namespace: 'shop', name: 'cart', labels: {} },
  since: SINCE,
  is_killed: false,
  ports: [{ port: 8080, mode: 'PERMISSIVE' }],
  forgotten: 0,
  callers: [],
  ...change,
})

async function report(value: unknown, more = '', status = 200) {
  await using proxy = await openScriptedProxy(json(value, status))
  const ran = await run(`mtls report -proxy ${proxy.address}${more}`)
  return { ...ran, out: ran.out.replaceAll(proxy.address, 'PROXY'), asked: proxy.asked }
}

test('who calls in plaintext is told by port, and that STRICT would break them', async () => {
  const callers = [
    caller({ source_ip: '10.0.0.2', connections: 1, last_seen: SINCE }),
    caller(),
    caller({ port: 9000, mode: 'STRICT', source_ip: '10.0.0.3' }),
    caller({ port: 9001, mode: 'STRICT', source_ip: '10.0.0.4', connections: 0, refused: 4 }),
    caller({ port: 9002, mode: 'STRICT', source_ip: '10.0.0.5', refused: 1 }),
  ]
  const ports = [
    { port: 8080, mode: 'PERMISSIVE' },
    { port: 7070, mode: 'PERMISSIVE' },
    { port: 9000, mode: 'STRICT' },
  ]
  expect(await report(told({ callers, ports }))).toEqual({
    code: 2,
    err: '',
    asked: [{ method: 'GET', page: '/plaintext-callers', body: '' }],
    out: `shop/cart (PROXY)
  port 7070, PERMISSIVE: nobody has called in plaintext since ${SINCE}; STRICT would break nobody seen
  port 8080, PERMISSIVE: STRICT would break 2 callers
    10.0.0.1  3 connections, first ${SINCE}, last ${LATER}
    10.0.0.2  1 connection, first ${SINCE}, last ${SINCE}
  port 9000, STRICT: 1 caller in plaintext before it was STRICT, refused now
    10.0.0.3  3 connections, first ${SINCE}, last ${LATER}
  port 9001, STRICT: 1 caller in plaintext, refused now
    10.0.0.4  4 refused, first ${SINCE}, last ${LATER}
  port 9002, STRICT: 1 caller in plaintext, refused now
    10.0.0.5  3 connections and 1 refused, first ${SINCE}, last ${LATER}
`,
  })
})

test('a workload that nobody calls in plaintext ends with 0', async () => {
  const { code, out } = await report(told())
  expect(code).toBe(0)
  expect(out).toContain('STRICT would break nobody seen')
  expect((await report(told({ ports: [] }))).out).toContain('takes no connections for the workload')
})

test('modes are said not to be those of policies while the kill switch is on', async () => {
  expect((await report(told({ is_killed: true }))).out).toContain('the kill switch is on')
  expect((await report(told())).out).not.toContain('the kill switch')
})

test('callers that are no longer remembered count as broken', async () => {
  const { code, out } = await report(told({ forgotten: 7 }))
  expect(code).toBe(2)
  expect(out).toContain('7 more callers were seen and are no longer remembered')
})

test('of many callers some are listed and all are counted', async () => {
  const callers = Array.from({ length: 30 }, (_, n) => caller({ source_ip: `10.0.0.${n}` }))
  const { out } = await report(told({ callers }))
  expect(out).toContain('STRICT would break 30 callers')
  expect(out).toContain('    and 10 more\n')
})

test('-output json tells the same of each proxy, and of those that do not answer', async () => {
  await using proxy = await openScriptedProxy(json(told({ callers: [caller()] })))
  const ran = await run(
    `mtls report -proxy ${proxy.address} -proxy unix:/nonexistent.sock -output json`,
  )
  expect(ran.code).toBe(1)
  expect(JSON.parse(ran.out)).toMatchObject({
    proxies: [
      {
        proxy: proxy.address,
        workload: 'shop/cart',
        strict_breaks: true,
        ports: [{ port: 8080, strict_breaks: true, callers: [{ source_ip: '10.0.0.1' }] }],
      },
      { proxy: 'unix:/nonexistent.sock', failed: expect.stringContaining('ENOENT') },
    ],
  })
})

test.for([
  ['that is another program', { hello: 'world' }, 200, 'answers in another form'],
  ['that speaks no JSON', 'hello', 200, 'is it the admin endpoint of a running proxy?'],
  ['that says too much', `"${'a'.repeat(17 * 1024 * 1024)}"`, 200, 'the answer is larger than'],
  ['that refuses', { error: 'the host is not loopback' }, 403, 'refuses: the host is not loopback'],
  ['that refuses without a word', {}, 500, 'refuses: status 500'],
] as const)(
  'a proxy %s is told, and what it knows is not known',
  async ([, value, status, message]) => {
    const ran = await report(value, '', status)
    expect([ran.code, ran.out]).toEqual([1, ''])
    expect(ran.err).toContain(message)
    expect(ran.err).toContain(
      '1 of 1 proxies did not answer; what STRICT would break there is not known',
    )
  },
)

test.for([
  ['mtls report', 'at least one admin endpoint of a proxy (-proxy) must be set'],
  ['mtls report -proxy nowhere', '-proxy is "nowhere", expected unix:/path or ip:port'],
  ['mtls report -proxy 127.0.0.1:1', 'ECONNREFUSED'],
] as const)('%s is refused', async ([line, message]) => {
  const ran = await run(line)
  expect([ran.code, ran.out]).toEqual([1, ''])
  expect(ran.err).toContain(message)
})
