import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { filePublisher } from '../../../server/publish/file.ts'
import { publishBundle } from '../../../server/publish/publish-bundle.ts'
import { publishedText } from '../../../server/publish/published-text.ts'
import type { Publisher } from '../../../server/publish/publisher.ts'
import { type S3PublisherConfig, s3Publisher } from '../../../server/publish/s3.ts'
import { escapePath, signRequest } from '../../../server/publish/sign-request.ts'
import { parseBundleDocument } from '../../../spiffe/bundle/jwks.ts'
import { parseBundlePem } from '../../../spiffe/bundle/pem.ts'
import type { Bundle } from '../../../spiffe/bundle.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { generateKey, spkiOf } from '../../../spiffe/key.ts'
import { testCa } from '../../fakes/ca.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { startFakeS3 } from '../../fakes/fake-s3.ts'

const ca = await testCa()
const jwtKey = {
  ...{ keyId: 'k1', expiresAt: undefined, tainted: false },
  publicKey: new Uint8Array(spkiOf(await generateKey('ec-p256'))),
}
const bundle: Bundle = { ...ca.bundle, jwtAuthorities: [jwtKey], sequenceNumber: 7 }

const dir = mkdtempSync(join(tmpdir(), 'steeple-publish-'))
afterAll(() => rmSync(dir, { recursive: true }))
const never = new AbortController().signal

test('the spiffe format is read back as the same bundle, with the hint that was asked for', () => {
  const { text, contentType } = publishedText(bundle, 'spiffe', 60)
  expect(contentType).toBe('application/json')
  expect(parseBundleDocument(text, ca.trustDomain)).toMatchObject({
    sequenceNumber: 7,
    refreshHintSeconds: 60,
    jwtAuthorities: [{ keyId: 'k1' }],
  })
})

test('the jwks format has all keys and nothing that is SPIFFE’s own', () => {
  const document = JSON.parse(publishedText(bundle, 'jwks', 60).text)
  expect(Object.keys(document)).toEqual(['keys'])
  expect(document.keys).toHaveLength(2)
  expect(document.keys.every((key: object) => !('use' in key))).toBe(true)
})

test('the pem format has the X.509 authorities alone', () => {
  const { text } = publishedText(bundle, 'pem', undefined)
  expect(parseBundlePem(text, ca.trustDomain).x509Authorities).toHaveLength(1)
})

test('a file is replaced as a whole and may be read by everybody', async () => {
  const path = join(dir, 'bundle.json')
  const publisher = filePublisher({
    ...{ kind: 'file', path, format: 'pem', refreshHintSeconds: undefined },
  })
  await publisher.publish({ text: 'first, which is longer', contentType: '' }, never)
  await publisher.publish({ text: 'second', contentType: '' }, never)
  expect(readFileSync(path, 'utf8')).toBe('second')
  expect(statSync(path).mode & 0o777).toBe(0o644)
})

test('a file that cannot be written is refused with its path', async () => {
  const publisher = filePublisher({
    ...{ kind: 'file', path: join(dir, 'none', 'b'), format: 'pem', refreshHintSeconds: undefined },
  })
  await expect(publisher.publish({ text: '', contentType: '' }, never)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('none/b: ENOENT'),
  })
})

test('a signature is the one that Amazon gives as an example', () => {
  const key = {
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  }
  const { authorization } = signRequest(key, {
    ...{ method: 'PUT', path: '/test%24file.text', region: 'us-east-1', service: 's3' },
    headers: {
      date: 'Fri, 24 May 2013 00:00:00 GMT',
      host: 'examplebucket.s3.amazonaws.com',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
    },
    body: Buffer.from('Welcome to Amazon S3.'),
    at: new Date('2013-05-24T00:00:00Z'),
  })
  expect(authorization).toMatch(
    /Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd$/,
  )
})

test('a path is escaped so that nothing of it is read as anything else', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (path) => {
      const escaped = escapePath(path.toWellFormed())
      expect(escaped).toMatch(/^(?:[A-Za-z0-9\-._~/]|%[0-9A-F]{2})*$/)
      expect(decodeURIComponent(escaped)).toBe(path.toWellFormed())
    }),
  )
})

const settings = (endpoint: string, more: Partial<S3PublisherConfig> = {}): S3PublisherConfig => ({
  ...{ kind: 'aws_s3', accessKeyId: 'ID', secretAccessKey: 'SECRET', sessionToken: undefined },
  ...{ region: 'here-1', bucket: 'bundles', objectKey: 'a b/example.org' },
  ...{ endpoint, format: 'spiffe', refreshHintSeconds: undefined },
  ...more,
})

test('the object store takes what is signed with the right key, at the path of bucket and object', async () => {
  await using s3 = await startFakeS3('ID', 'SECRET', 'here-1')
  const publisher = s3Publisher(settings(s3.endpoint, { sessionToken: 'lent' }), systemClock)
  await publisher.publish({ text: 'bundle', contentType: 'application/json' }, never)
  expect([...s3.objects]).toEqual([
    ['/bundles/a%20b/example.org', { body: 'bundle', contentType: 'application/json' }],
  ])
})

test.for([
  ['a wrong secret', { secretAccessKey: 'WRONG' }, 'SignatureDoesNotMatch'],
  ['an unknown key', { accessKeyId: 'WHO' }, 'InvalidAccessKeyId'],
  ['another region', { region: 'there-2' }, 'AuthorizationHeaderMalformed'],
] as const)('%s is refused, and the reason is told without the secret', async ([, more, code]) => {
  await using s3 = await startFakeS3('ID', 'SECRET', 'here-1')
  const publishing = s3Publisher(settings(s3.endpoint, more), systemClock).publish(
    { text: 'bundle', contentType: 'application/json' },
    never,
  )
  const error = await publishing.catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(IdentityError)
  expect(String(error)).toContain(`answered 403 ("${code}: no ${code} here")`)
  expect(String(error)).not.toMatch(/SECRET|WRONG/)
  expect(s3.objects.size).toBe(0)
})

test('a store that nobody runs is refused with the reason', async () => {
  const publisher = s3Publisher(settings('http://127.0.0.1:1'), systemClock)
  await expect(publisher.publish({ text: '', contentType: '' }, never)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  })
})

test('a redirect is a failure: the signature is for one host', async () => {
  await using s3 = await startFakeS3('ID', 'SECRET', 'here-1')
  s3.failWith = 307
  const publisher = s3Publisher(settings(s3.endpoint), systemClock)
  await expect(publisher.publish({ text: '', contentType: '' }, never)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  })
})

function follow(publish: Publisher['publish']) {
  const clock = new FakeClock()
  const stop = new AbortController()
  const listeners = new Set<() => void>()
  const state = { bundle, failures: [] as number[] }
  const ended = publishBundle(
    {
      publisher: { name: 'file', format: 'spiffe', refreshHintSeconds: undefined, publish },
      bundle: {
        current: () => state.bundle,
        onChange(listener) {
          listeners.add(listener)
          return () => listeners.delete(listener)
        },
      },
      clock,
      random: () => 0,
      onPublished: () => {},
      onNoSuchPlace: () => state.failures.push(Number.NaN),
      onFailure: (_, retryMs) => state.failures.push(retryMs),
    },
    stop.signal,
  )
  return {
    ...{ clock, state, listeners },
    change(sequenceNumber: number) {
      state.bundle = { ...bundle, sequenceNumber }
      for (const listener of listeners) listener()
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await ended
      expect(listeners.size).toBe(0)
    },
  }
}

test('the bundle is published at the start, at every change, and again after an hour', async () => {
  const sequences: number[] = []
  await using following = follow(async ({ text }) => {
    sequences.push(JSON.parse(text).spiffe_sequence)
  })
  await following.clock.sleepers(1)
  following.change(8)
  await expect.poll(() => sequences).toEqual([7, 8])
  await following.clock.sleepers(1)
  following.clock.advance(60 * 60_000)
  await expect.poll(() => sequences).toEqual([7, 8, 8])
})

test('a failure is told and tried again after longer and longer pauses, with the newest bundle', async () => {
  let isDown = true
  const sequences: number[] = []
  await using following = follow(async ({ text }) => {
    if (isDown) throw new IdentityError('UNAVAILABLE', 'down')
    sequences.push(JSON.parse(text).spiffe_sequence)
  })
  for (const [count, pauseMs] of [1_000, 2_000, 4_000].entries()) {
    await following.clock.sleepers(1)
    expect(following.state.failures).toHaveLength(count + 1)
    expect(following.state.failures.at(-1)).toBe(pauseMs)
    if (pauseMs === 4_000) isDown = false
    following.change(8 + count)
    following.clock.advance(pauseMs)
    await expect.poll(() => following.state.failures.length + sequences.length).toBe(count + 2)
  }
  expect(sequences).toEqual([10])
})
