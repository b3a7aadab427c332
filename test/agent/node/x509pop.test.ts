import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { x509PopAttestor } from '../../../agent/node/x509pop.ts'
import {
  readX509PopAnswer,
  readX509PopPayload,
  writeX509PopChallenge,
} from '../../../proto/x509pop.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { toPem, toPemChain } from '../../../spiffe/x509/pem.ts'
import { isPossessionProven } from '../../../spiffe/x509/possession.ts'
import { type TestCa, type TestLeaf, testCa } from '../../fakes/ca.ts'

let ca: TestCa
let node: TestLeaf
beforeAll(async () => {
  ca = await (await testCa()).intermediate()
  node = await ca.leaf()
})

const keyPem = (type: 'pkcs8' | 'sec1' = 'pkcs8') =>
  node.key.export({ type, format: 'pem' }).toString()

function attestor(files: Record<string, string>, intermediatesPath?: string) {
  const readText = (path: string) => {
    const text = files[path]
    if (text === undefined) throw new IdentityError('CONFIG_INVALID', `unable to read ${path}`)
    return text
  }
  return x509PopAttestor(
    { certificatePath: 'cert', privateKeyPath: 'key', intermediatesPath },
    { readText, randomBytes },
  )
}

test('sends its certificate, those that follow it, and then further intermediates', async () => {
  const whole = attestor({ cert: toPemChain(node.chain), key: keyPem() })
  expect(readX509PopPayload(await whole.payload())).toEqual(
    node.chain.map((der) => Buffer.from(der)),
  )
  const files = {
    cert: toPemChain([node.certificate]),
    key: keyPem('sec1'),
    more: toPemChain([ca.certificate]),
  }
  const parts = attestor(files, 'more')
  expect(readX509PopPayload(await parts.payload())).toEqual(
    node.chain.map((der) => Buffer.from(der)),
  )
})

test('answers with a nonce of its own, another one each time', async () => {
  const one = attestor({ cert: toPemChain(node.chain), key: keyPem() })
  await one.payload()
  const nonce = randomBytes(32)
  const challenge = writeX509PopChallenge({ kind: 'ecdsa', nonce })
  const answers = [await one.answer(challenge), await one.answer(challenge)].map(readX509PopAnswer)
  for (const answer of answers) expect(isPossessionProven(node.key, nonce, answer)).toBe(true)
  expect(answers[0]?.nonce).not.toEqual(answers[1]?.nonce)
})

test('takes a renewed certificate at the next attestation', async () => {
  const files = { cert: toPemChain(node.chain), key: keyPem() }
  const one = attestor(files)
  await one.payload()
  const next = await ca.leaf()
  files.cert = toPemChain(next.chain)
  files.key = next.key.export({ type: 'pkcs8', format: 'pem' }).toString()
  expect(readX509PopPayload(await one.payload())[0]).toEqual(Buffer.from(next.certificate))
})

test.for([
  [
    'of another kind',
    { kind: 'rsa', nonce: randomBytes(32) },
    /challenged a key of kind rsa, which key is not/,
  ],
  [
    'with a short nonce',
    { kind: 'ecdsa', nonce: randomBytes(16) },
    /nonce of 16 bytes, expected 32/,
  ],
] as const)('refuses a challenge %s, and signs nothing', async ([, challenge, why]) => {
  const one = attestor({ cert: toPemChain(node.chain), key: keyPem() })
  await one.payload()
  await expect(one.answer(writeX509PopChallenge(challenge))).rejects.toThrow(
    expect.objectContaining({ code: 'REQUEST_INVALID', message: expect.stringMatching(why) }),
  )
})

test.for([
  ['a missing certificate', {}, 'unable to read cert'],
  ['a missing key', { cert: 'node' }, 'unable to read key'],
  [
    'a certificate file without certificates',
    { cert: '' },
    /^certificate_path cert cannot be used: malformed PEM/,
  ],
  [
    'a certificate that is none',
    { cert: toPem('CERTIFICATE', Buffer.from('x')), key: 'own' },
    /^certificate_path cert cannot be used/,
  ],
  [
    'a key in the place of the certificate',
    { cert: 'own' },
    /has a block "PRIVATE KEY", expected "CERTIFICATE"/,
  ],
  [
    'a key that is none',
    { cert: 'node', key: 'secret' },
    'private_key_path key is not an unencrypted private key in PEM',
  ],
  [
    'the key of somebody else',
    { cert: 'node', key: 'other' },
    'private_key_path key is not the key of the first certificate in cert',
  ],
  [
    'a key that cannot prove itself',
    { cert: 'node', key: 'ed25519' },
    'private_key_path key holds a key of type ed25519, expected RSA or EC',
  ],
] as const)('says what is wrong with %s', async ([, files, why]) => {
  const fresh = (type: 'ed25519') =>
    generateKeyPairSync(type).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const known: Record<string, string> = {
    node: toPemChain(node.chain),
    own: keyPem(),
    other: ca.key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ed25519: fresh('ed25519'),
  }
  const texts = Object.fromEntries(
    Object.entries(files).map(([name, text]) => [name, known[text] ?? text]),
  )
  const error = await attestor(texts)
    .payload()
    .then(
      () => expect.unreachable('it was taken'),
      (thrown: IdentityError) => thrown,
    )
  expect(error.code).toBe('CONFIG_INVALID')
  expect(error.message).toMatch(why)
  expect(error.message).not.toMatch(/secret/)
})
