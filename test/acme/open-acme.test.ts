import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type AcmeDeps, type AcmeSettings, openAcme } from '../../acme/open-acme.ts'
import { reasonOf } from '../../spiffe/error.ts'
import { generateKey } from '../../spiffe/key.ts'
import { type Answer, FAKE_ACME, fakeAcme, refusal } from '../fakes/acme-ca.ts'
import { FakeClock } from '../fakes/clock.ts'

const DAY_MS = 86_400_000
const dir = mkdtempSync(join(tmpdir(), 'steeple-acme-'))
afterAll(() => rmSync(dir, { recursive: true }))

const settings = (changes: Partial<AcmeSettings> = {}): AcmeSettings => ({
  ...{ directoryUrl: `${FAKE_ACME}/directory`, email: 'ops@example.org', isTosAccepted: false },
  ...{ domains: ['web.test'], cacheDir: undefined, ...changes },
})

function recording(clock: FakeClock) {
  const heard = { obtained: [] as string[], failures: [] as string[] }
  const deps: Omit<AcmeDeps, 'exchange'> = {
    ...{ clock, random: () => 0, randomBytes: (size: number) => Buffer.alloc(size, 7) },
    onObtained: (domain) => heard.obtained.push(domain),
    onFailure: (_domain, error) => heard.failures.push(reasonOf(error)),
  }
  return { heard, deps }
}

const namesOf = (pem: string) => new X509Certificate(pem)

test('a certificate is obtained at once, and renewed at two thirds of its life', async () => {
  const clock = new FakeClock()
  const { heard, deps } = recording(clock)
  const { exchange } = fakeAcme({ clock })
  const acme = await openAcme(settings(), { ...deps, exchange })
  let changes = 0
  acme.onChange(() => {
    changes += 1
  })
  expect(namesOf(acme.current().cert).issuer).toBeUndefined()
  const stop = new AbortController()
  const following = acme.follow(stop.signal)
  await clock.sleepers(1)
  expect(heard.obtained).toEqual(['web.test'])
  const first = acme.current()
  expect(namesOf(first.cert).subjectAltName).toBe('DNS:web.test')
  await clock.sleepers(1)
  clock.advance(60_000)
  await clock.sleepers(1)
  clock.advance(60 * DAY_MS - 60_001)
  expect(acme.current()).toBe(first)
  await clock.sleepers(1)
  clock.advance(1)
  await clock.sleepers(1)
  expect(heard.obtained).toHaveLength(2)
  expect(acme.current().key).not.toBe(first.key)
  expect([changes, heard.failures]).toEqual([2, []])
  stop.abort()
  await following
})

test('while the CA refuses, the last certificate stays, and it is asked ever more seldom', async () => {
  const clock = new FakeClock()
  const { heard, deps } = recording(clock)
  let isDown = false
  const bend = () => (isDown ? refusal('serverInternal', 'out for lunch', 500) : undefined)
  const acme = await openAcme(settings(), { ...deps, exchange: fakeAcme({ clock, bend }).exchange })
  const stop = new AbortController()
  const following = acme.follow(stop.signal)
  await clock.sleepers(1)
  expect(heard.obtained).toHaveLength(1)
  const good = acme.current()
  isDown = true
  await clock.sleepers(1)
  clock.advance(60_000)
  await clock.sleepers(1)
  clock.advance(60 * DAY_MS)
  for (const [failures, minutes] of [1, 4, 16, 60, 60].entries()) {
    await clock.sleepers(1)
    expect(heard.failures).toHaveLength(failures + 1)
    await clock.sleepers(1)
    clock.advance(minutes * 60_000 - 1)
    expect(heard.failures).toHaveLength(failures + 1)
    clock.advance(1)
  }
  expect(heard.failures[0]).toMatch(
    /refused its directory with status 500: serverInternal: out for/,
  )
  expect(acme.current()).toBe(good)
  stop.abort()
  await following
})

test('what was obtained is kept for its owner alone, and found at the next start', async () => {
  const clock = new FakeClock()
  const cacheDir = join(dir, 'kept')
  const open = async () => {
    const { heard, deps } = recording(clock)
    const { exchange, asked } = fakeAcme({ clock })
    const acme = await openAcme(settings({ cacheDir }), { ...deps, exchange })
    return { acme, asked, heard }
  }
  const { acme: first, heard } = await open()
  const stop = new AbortController()
  const following = first.follow(stop.signal)
  await clock.sleepers(1)
  expect(heard.obtained).toHaveLength(1)
  await clock.sleepers(1)
  stop.abort()
  await following
  for (const name of ['web.test', 'acme_account+key']) {
    expect(statSync(join(cacheDir, name)).mode & 0o777).toBe(0o600)
  }
  const { acme: second, asked } = await open()
  expect(second.current()).toEqual(first.current())
  expect(asked).toEqual([])
  clock.advance(90 * DAY_MS)
  const { acme: third, heard: late } = await open()
  expect(late.failures).toEqual([expect.stringMatching(/^the certificate of web.test expired at /)])
  expect(third.current()).not.toEqual(first.current())
})

test.for([
  ['no key', 'nonsense'],
  [
    'a key of another curve',
    String((await generateKey('ec-p384')).export({ type: 'sec1', format: 'pem' })),
  ],
] as const)('an account file with %s is refused at the start, and not quoted', async ([, text]) => {
  const cacheDir = mkdtempSync(join(dir, 'damaged-'))
  writeFileSync(join(cacheDir, 'acme_account+key'), text)
  const clock = new FakeClock()
  const { exchange } = fakeAcme({ clock })
  const opened = openAcme(settings({ cacheDir }), { ...recording(clock).deps, exchange })
  await expect(opened).rejects.toThrow(/acme_account\+key is damaged: expected a P-256 private key/)
  await expect(opened).rejects.not.toThrow(text.slice(0, 60))
  expect(readFileSync(join(cacheDir, 'acme_account+key'), 'utf8')).toBe(text)
})

test('a directory that cannot be had is refused at the start', async () => {
  const file = join(dir, 'file')
  writeFileSync(file, '')
  const clock = new FakeClock()
  const deps = { ...recording(clock).deps, exchange: fakeAcme({ clock }).exchange }
  await expect(openAcme(settings({ cacheDir: join(file, 'x') }), deps)).rejects.toThrow(/ENOTDIR/)
})

type Bend = (step: string, answer: Answer) => Answer | undefined
const at =
  (step: string, bent: (answer: Answer) => Answer): Bend =>
  (seen, answer) =>
    seen === step ? bent(answer) : undefined
const json = (step: string, changes: object) =>
  at(step, (answer) => ({ ...answer, json: { ...(answer.json as object), ...changes } }))

test.for<readonly [string, Bend, RegExp]>([
  [
    'has a directory that is no JSON',
    at('/directory', () => ({ status: 200, text: '<html>' })),
    /its directory is not JSON/,
  ],
  [
    'has a directory without orders',
    json('/directory', { newOrder: 1 }),
    /directory has no good newOrder/,
  ],
  [
    'has terms that nobody accepted',
    json('/directory', { meta: { termsOfService: 'https://ca.test/t' } }),
    /accept its terms of service at "https:\/\/ca.test\/t"; read them and set tos_accepted/,
  ],
  [
    'wants accounts bound to its own',
    json('/directory', { meta: { externalAccountRequired: true } }),
    /external account binding\), which is not supported/,
  ],
  [
    'gives no nonces',
    at('/nonce', () => ({ status: 200, headers: { 'replay-nonce': '' } })),
    /refused a nonce with status 200/,
  ],
  [
    'refuses every nonce',
    at('/account', () => refusal('badNonce', 'try again')),
    /refused the account with status 400: badNonce: try again/,
  ],
  [
    'refuses the account',
    at('/account', () => refusal('invalidContact', 'no such address')),
    /invalidContact: no such address/,
  ],
  [
    'does not say where the account is',
    at('/account', () => ({ status: 201 })),
    /where the account is/,
  ],
  [
    'limits our rate',
    at('/order', () => refusal('rateLimited', 'come back on Friday', 429)),
    /refused the order for web.test with status 429: rateLimited: come back on Friday/,
  ],
  [
    'has an order in a state that nobody knows',
    json('/order', { status: 'lunch' }),
    /its order has no good status/,
  ],
  [
    'asks to prove another name',
    json('/authz/1', { identifier: { type: 'dns', value: 'bank.test' } }),
    /asks to prove "dns:bank.test", expected web.test alone/,
  ],
  [
    'offers other proofs alone',
    json('/authz/1', { challenges: [{ type: 'http-01', url: 'x', token: 'a' }] }),
    /offers "http-01" to prove web.test, expected tls-alpn-01/,
  ],
  [
    'has a token with a line break',
    json('/authz/1', { challenges: [{ type: 'tls-alpn-01', url: 'x', token: 'a\nb' }] }),
    /expected tls-alpn-01 with a token/,
  ],
  [
    'gives up the order',
    json('/order/1', { status: 'invalid', error: { detail: 'no more paper' } }),
    /gave up the order for web.test: no more paper/,
  ],
  [
    'gives a certificate that is none',
    at('/certificate/1', () => ({ status: 200, text: 'hello' })),
    /no block "CERTIFICATE"/,
  ],
])('a CA that %s is refused, and nothing is shown', async ([, bend, why]) => {
  const clock = new FakeClock()
  const { heard, deps } = recording(clock)
  const acme = await openAcme(settings(), { ...deps, exchange: fakeAcme({ clock, bend }).exchange })
  const placeholder = acme.current()
  const stop = new AbortController()
  const following = acme.follow(stop.signal)
  await clock.sleepers(1)
  expect(heard.failures).toEqual([expect.stringMatching(why)])
  expect(acme.current()).toBe(placeholder)
  expect(heard.obtained).toEqual([])
  stop.abort()
  await following
})

test.for([
  ['another name', { dnsNames: ['bank.test'] }, /certificate of web.test is for DNS:bank.test/],
  [
    'another key',
    { key: await generateKey('ec-p256') },
    /certificate of web.test is for another key/,
  ],
  [
    'yesterday',
    { notBefore: new Date('2025-12-30'), notAfter: new Date('2025-12-31') },
    /expired at 2025-12-31/,
  ],
] as const)('a certificate for %s is not shown', async ([, sign, why]) => {
  const clock = new FakeClock()
  const { heard, deps } = recording(clock)
  const acme = await openAcme(settings(), { ...deps, exchange: fakeAcme({ clock, sign }).exchange })
  const stop = new AbortController()
  const following = acme.follow(stop.signal)
  await clock.sleepers(1)
  expect(heard.failures).toEqual([expect.stringMatching(why)])
  expect(heard.obtained).toEqual([])
  stop.abort()
  await following
})

test('a CA that could not verify the name is quoted, with what it needs', async () => {
  const clock = new FakeClock()
  const { heard, deps } = recording(clock)
  const challenges = [
    {
      type: 'tls-alpn-01',
      url: `${FAKE_ACME}/challenge/1`,
      token: 't',
      error: { detail: 'refused' },
    },
  ]
  let looks = 0
  const bend: Bend = (step, answer) =>
    step === '/authz/1' && ++looks > 1
      ? { ...answer, json: { ...(answer.json as object), status: 'invalid', challenges } }
      : undefined
  const acme = await openAcme(settings(), { ...deps, exchange: fakeAcme({ clock, bend }).exchange })
  const stop = new AbortController()
  const following = acme.follow(stop.signal)
  await clock.sleepers(1)
  expect(heard.failures).toEqual([
    expect.stringMatching(/could not verify web.test: refused; the CA must reach this/),
  ])
  stop.abort()
  await following
})
