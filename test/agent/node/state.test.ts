import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { NO_STATE, openNodeState } from '../../../agent/node/state.ts'
import { toPem } from '../../../spiffe/x509/pem.ts'
import { testCa } from '../../fakes/ca.ts'

const ca = await testCa()
const agent = await (await ca.intermediate()).leaf('/spire/agent/join_token/t')
const state = {
  svidChain: agent.chain,
  authorities: [ca.certificate],
  reattestable: true,
  trustBegins: undefined,
}
const plain = (ders: readonly Uint8Array[]) => ders.map((der) => Buffer.from(der))

let dir: string
let path: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'steeple-state-'))
  path = join(dir, 'agent-data.json')
})
afterEach(() => rmSync(dir, { recursive: true }))

test('there is no state at first', async () => {
  expect(await openNodeState(dir).read()).toEqual(NO_STATE)
})

test('what was written is read back, and is for the agent alone', async () => {
  await openNodeState(dir).write(state)
  const read = await openNodeState(dir).read()
  expect(plain(read.svidChain)).toEqual(plain(state.svidChain))
  expect(plain(read.authorities)).toEqual(plain(state.authorities))
  expect(read.reattestable).toBe(true)
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('the file has the keys and the form that SPIRE’s agent reads', async () => {
  await openNodeState(dir).write(state)
  const [leaf] = agent.chain
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
    svid: expect.arrayContaining([
      Buffer.from(toPem('CERTIFICATE', leaf ?? Buffer.alloc(0))).toString('base64'),
    ]),
    bundle: [Buffer.from(toPem('CERTIFICATE', ca.certificate)).toString('base64')],
    reattestable: true,
    bootstrap_use: 2,
    bootstrap_start_time: '0001-01-01T00:00:00Z',
    connection_attempts: 0,
  })
})

test('the way to trust is kept in the form of SPIRE’s agent, so that a restart does not begin to count again', async () => {
  const since = new Date('2026-01-01T10:00:00.500Z')
  const trustBegins = { mode: 'rebootstrap', since, attempts: 3 } as const
  await openNodeState(dir).write({ ...state, trustBegins })
  expect((await openNodeState(dir).read()).trustBegins).toEqual(trustBegins)
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({
    bootstrap_use: 2,
    bootstrap_start_time: '2026-01-01T10:00:00.500Z',
    connection_attempts: 3,
  })
  const byGo = '{"bootstrap_use":2,"bootstrap_start_time":"2026-01-01T12:00:00.500123456+02:00"}'
  writeFileSync(path, byGo)
  expect((await openNodeState(dir).read()).trustBegins).toEqual({ ...trustBegins, attempts: 0 })
})

test('a state that SPIRE’s agent left before it was attested has no identity, and knows that it began', async () => {
  const text =
    '{"svid":null,"bundle":null,"reattestable":false,"bootstrap_use":1,"bootstrap_start_time":"2026-01-01T00:00:00Z","connection_attempts":1}'
  writeFileSync(path, text)
  expect(await openNodeState(dir).read()).toEqual({
    ...NO_STATE,
    trustBegins: { mode: 'bootstrap', since: new Date('2026-01-01T00:00:00Z'), attempts: 1 },
  })
})

test('writes are carried out in their order', async () => {
  const store = openNodeState(dir)
  await Promise.all([store.write(state), store.write({ ...state, reattestable: false })])
  expect((await store.read()).reattestable).toBe(false)
})

test.for([
  ['that is cut off', '{"svid":["'],
  ['whose SVID is no PEM', '{"svid":["aGVsbG8="],"bundle":[],"reattestable":false}'],
  ['of another form', '{"svid":7}'],
] as const)('refuses a file %s, and says what to do', async ([, text]) => {
  writeFileSync(path, text)
  await expect(openNodeState(dir).read()).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/agent-data\.json is damaged: .*new join token$/),
  })
})
