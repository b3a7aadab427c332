/** x509pop as a server judges it: real keys and chains, and every way in which one of them can be wrong. */
import { randomBytes } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { x509PopAttestor as nodeHalf } from '../../../agent/node/x509pop.ts'
import {
  readX509PopAnswer,
  writeX509PopAnswer,
  writeX509PopPayload,
} from '../../../proto/x509pop.ts'
import { parseAgentPathTemplate } from '../../../server/attest/agent-path-template.ts'
import { type X509PopOptions, x509PopAttestor } from '../../../server/attest/x509pop.ts'
import { fingerprintOf } from '../../../server/attest/x509pop-selectors.ts'
import type { IdentityError } from '../../../spiffe/error.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { parseCertificate } from '../../../spiffe/x509/certificate.ts'
import { toPemChain } from '../../../spiffe/x509/pem.ts'
import { TEST_NOW, type TestCa, type TestLeaf, testCa } from '../../fakes/ca.ts'
import {
  type CertificateFields,
  extension,
  KEY_USAGE,
  makeCertificate,
} from '../../fakes/certificate.ts'

const trustDomain = parseTrustDomain('example.org')
let ca: TestCa
let issuing: TestCa
beforeAll(async () => {
  ca = await testCa({ uriSans: [] })
  issuing = await ca.intermediate({ uriSans: [] })
})

const NODE: CertificateFields = { subject: 'CN=node1', uriSans: [], extKeyUsage: undefined }
const nodeOf = (changes: CertificateFields = {}, by = issuing) =>
  by.leaf('', { ...NODE, ...changes })

interface Changes extends Partial<X509PopOptions> {
  readonly now?: Date
  readonly clientIp?: string | undefined
  readonly template?: string
  /** Between the node and the server. */
  readonly payload?: (chain: readonly Uint8Array[]) => Uint8Array
  readonly question?: (challenge: Uint8Array) => Uint8Array
  readonly answer?: (answer: Uint8Array) => Uint8Array
}

/** The agent's half answers the server's half. */
async function attest(node: TestLeaf, changes: Changes = {}) {
  const { now = TEST_NOW, template, payload, question, answer, clientIp, ...options } = changes
  const files: Record<string, string> = {
    certificate: toPemChain(node.chain),
    key: node.key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
  const half = nodeHalf(
    { certificatePath: 'certificate', intermediatesPath: undefined, privateKeyPath: 'key' },
    { readText: (path) => files[path] ?? '', randomBytes },
  )
  const server = x509PopAttestor(
    {
      trust: { mode: 'external_pki', authorities: ca.bundle.x509Authorities },
      pathTemplate: parseAgentPathTemplate(template ?? '/{{ .PluginName }}/{{ .Fingerprint }}'),
      maxIntermediates: 4,
      maxRsaBits: 8192,
      verifyClientIp: false,
      ...options,
    },
    {
      trustDomain,
      bundle: () => ca.bundle,
      clock: { now: () => now, sleep: async () => {} },
      randomBytes,
    },
  )
  const first = await half.payload()
  return await server.attest(
    payload === undefined ? first : payload(node.chain),
    async (challenge) => {
      const answered = await half.answer(question === undefined ? challenge : question(challenge))
      return answer === undefined ? answered : answer(answered)
    },
    'clientIp' in changes ? clientIp : '192.0.2.7',
  )
}

const refusal = async (node: TestLeaf, changes: Changes = {}) => {
  const error = await attest(node, changes).then(
    () => expect.unreachable('it was attested'),
    (thrown: IdentityError) => thrown,
  )
  return `${error.code} ${error.message}`
}

test.for(['ec-p256', 'ec-p384', 'rsa-2048'] as const)(
  'a node with a key of type %s proves itself, and can do so again',
  async (keyType) => {
    const node = await nodeOf({ keyType })
    expect(await attest(node)).toMatchObject({
      id: `spiffe://example.org/spire/agent/x509pop/${fingerprintOf({ der: node.certificate })}`,
      canReattest: true,
    })
  },
)

test('the selectors are those of SPIRE: name, serial, every issuer, and names of its own scheme', async () => {
  const node = await nodeOf({
    subject: 'O=org, CN=node one',
    uriSans: [
      'x509pop://example.org/env/prod',
      'x509pop://example.org/a/b/c',
      'x509pop://example.org/p%20q/r%2Fs?x=1',
      'x509pop://other.org/x/y',
      'x509pop://example.org/only',
      'x509pop://example.org/broken/%zz',
      'https://example.org/env/prod',
    ],
  })
  const { selectors } = await attest(node)
  expect([...selectors].sort()).toEqual(
    [
      'x509pop:subject:cn:node one',
      `x509pop:ca:fingerprint:${fingerprintOf({ der: issuing.certificate })}`,
      `x509pop:ca:fingerprint:${fingerprintOf({ der: ca.certificate })}`,
      `x509pop:serialnumber:${parseCertificate(node.certificate).serialHex}`,
      'x509pop:san:env:prod',
      'x509pop:san:a:b/c',
      'x509pop:san:p q:r/s',
    ].sort(),
  )
})

test('an authority need not be self-signed', async () => {
  const trust = {
    mode: 'external_pki',
    authorities: [{ der: issuing.certificate, tainted: false }],
  } as const
  await expect(attest(await nodeOf(), { trust })).resolves.toMatchObject({ canReattest: true })
})

test.for([
  [
    'of another authority',
    async () => nodeOf({}, await testCa({ uriSans: [] })),
    /unknown authority/,
  ],
  ['that has expired', () => nodeOf({ notAfter: new Date('2026-01-01T01:00:00Z') }), /expired at/],
  [
    'from the future',
    () => nodeOf({ notBefore: new Date('2026-01-01T18:00:00Z') }),
    /not valid before/,
  ],
  [
    'without digitalSignature',
    () => nodeOf({ keyUsage: KEY_USAGE.keyAgreement }),
    /lacks the key usage digitalSignature/,
  ],
  [
    'without any key usage',
    () => nodeOf({ keyUsage: undefined }),
    /lacks the key usage digitalSignature/,
  ],
  [
    'with a critical extension nobody knows',
    () => nodeOf({ extensions: [extension('1.2.3.4', Buffer.of(5, 0))] }),
    /critical extensions/,
  ],
  [
    'signed by a certificate that is no CA',
    async () => {
      const signer = await nodeOf()
      const keyUsage = KEY_USAGE.digitalSignature
      const forged = await makeCertificate(signer, { ...NODE, keyUsage })
      return { ...forged, chain: [forged.certificate, ...signer.chain] }
    },
    /does not have the CA flag set/,
  ],
] as const)('a certificate %s is refused', async ([, make, why]) => {
  expect(await refusal(await make())).toMatch(why)
})

test('more than four intermediates are refused before they are read', async () => {
  let last = issuing
  for (let depth = 1; depth < 5; depth++) last = await last.intermediate({ uriSans: [] })
  expect(await refusal(await nodeOf({}, last))).toBe(
    'NOT_AUTHORIZED nodeattestor(x509pop): certificate verification failed: 5 intermediate certificates were presented, at most 4 are allowed',
  )
  const four = await nodeOf({}, last)
  await expect(attest(four, { maxIntermediates: 5 })).resolves.toMatchObject({ canReattest: true })
})

test('an RSA key beyond the configured size is refused', async () => {
  expect(await refusal(await nodeOf({ keyType: 'rsa-2048' }), { maxRsaBits: 2047 })).toMatch(
    /^NOT_AUTHORIZED .*RSA key of 2048 bits, at most 2047 are allowed$/,
  )
})

test('another key than that of the leaf proves nothing', async () => {
  const node = await nodeOf()
  const other = await nodeOf()
  const payload = () => writeX509PopPayload(other.chain)
  expect(await refusal(node, { payload })).toBe(
    'NOT_AUTHORIZED nodeattestor(x509pop): challenge response verification failed: the signature is not of the leaf’s key',
  )
})

test.for(['ec-p256', 'rsa-2048'] as const)(
  'an answer to another challenge is refused: %s',
  async (keyType) => {
    const question = (challenge: Uint8Array) => {
      const nonce = randomBytes(32).toString('base64')
      const text = Buffer.from(challenge).toString()
      return Buffer.from(text.replace(/"nonce":"[^"]*"/, `"nonce":"${nonce}"`))
    }
    expect(await refusal(await nodeOf({ keyType }), { question })).toMatch(/verification failed/)
  },
)

test.for(['ec-p256', 'rsa-2048'] as const)(
  'a nonce of the node that was not signed is refused, and so is one of another length: %s',
  async (keyType) => {
    const node = await nodeOf({ keyType })
    for (const size of [32, 31, 33, 0]) {
      const answer = (answered: Uint8Array) =>
        writeX509PopAnswer({ ...readX509PopAnswer(answered), nonce: randomBytes(size) })
      expect(await refusal(node, { answer })).toMatch(/verification failed/)
    }
  },
)

test.for([
  ['nothing', ''],
  ['no JSON', '{'],
  ['neither kind', '{}'],
  ['null', '{"rsa_signature":null,"ecdsa_signature":null}'],
  [
    'both kinds',
    '{"rsa_signature":{"nonce":"","signature":""},"ecdsa_signature":{"nonce":"","r":"","s":""}}',
  ],
  ['no base64', '{"ecdsa_signature":{"nonce":"*","r":"AA==","s":"AA=="}}'],
  ['a part', '{"ecdsa_signature":{"nonce":"AA==","r":"AA=="}}'],
] as const)('an answer of %s is refused', async ([, text]) => {
  expect(await refusal(await nodeOf(), { answer: () => Buffer.from(text) })).toMatch(
    /^REQUEST_INVALID nodeattestor\(x509pop\): /,
  )
})

test.for([
  ['zero', '', ''] as const,
  ['too long', 'ff'.repeat(33), 'ff'.repeat(33)] as const,
  ['huge', 'ff'.repeat(4096), '01'] as const,
])('a signature whose numbers are %s is refused', async ([, r, s]) => {
  const answer = (answered: Uint8Array) => {
    const { nonce } = readX509PopAnswer(answered)
    const number = (hex: string) => Buffer.from(hex, 'hex')
    return writeX509PopAnswer({ kind: 'ecdsa', nonce, r: number(r), s: number(s) })
  }
  expect(await refusal(await nodeOf(), { answer })).toMatch(/verification failed/)
})

test('an RSA answer for an EC key is refused', async () => {
  const answer = (answered: Uint8Array) =>
    writeX509PopAnswer({
      kind: 'rsa',
      nonce: readX509PopAnswer(answered).nonce,
      signature: randomBytes(256),
    })
  expect(await refusal(await nodeOf(), { answer })).toMatch(/verification failed/)
})

test.for([
  ['nothing', ''],
  ['no certificate', '{"certificates":[]}'],
  ['null', '{"certificates":null}'],
  ['no base64', '{"certificates":["*"]}'],
] as const)('attestation data with %s is refused', async ([, text]) => {
  expect(await refusal(await nodeOf(), { payload: () => Buffer.from(text) })).toMatch(
    /^REQUEST_INVALID nodeattestor\(x509pop\): failed to unmarshal attestation data/,
  )
})

test('attestation data with a certificate that is none is refused', async () => {
  const payload = () => writeX509PopPayload([Buffer.from('nonsense')])
  expect(await refusal(await nodeOf(), { payload })).toMatch(/^NOT_AUTHORIZED .*malformed/)
})

test('the address is asked for only when the configuration says so, and must be a SAN', async () => {
  const ipSan = (...address: number[]) =>
    extension(
      '2.5.29.17',
      Buffer.of(0x30, address.length + 2, 0x87, address.length, ...address),
      false,
    )
  const node = await nodeOf({ extensions: [ipSan(192, 0, 2, 7)] })
  const verifyClientIp = true
  await expect(attest(node, { verifyClientIp })).resolves.toMatchObject({ canReattest: true })
  await expect(attest(node, { clientIp: '192.0.2.8' })).resolves.toMatchObject({
    canReattest: true,
  })
  for (const clientIp of ['192.0.2.8', '::1', '', 'localhost', undefined]) {
    expect(await refusal(node, { verifyClientIp, clientIp })).toBe(
      `NOT_AUTHORIZED nodeattestor(x509pop): client IP ${clientIp ?? ''} does not match any certificate IP SAN`,
    )
  }
  expect(await refusal(await nodeOf(), { verifyClientIp })).toMatch(/client IP/)
})

test('a template decides the path, and a value that is missing or breaks out of its step refuses', async () => {
  const template = '/cn/{{ .Subject.CommonName }}/{{.SerialNumberHex}}/{{ .TrustDomain }}'
  const { id } = await attest(await nodeOf(), { template })
  expect(id).toMatch(/^spiffe:\/\/example\.org\/spire\/agent\/cn\/node1\/[0-9a-f]+\/example\.org$/)
  for (const subject of ['O=nameless', 'CN=a/b', 'CN=..', 'CN=has space']) {
    expect(await refusal(await nodeOf({ subject }), { template })).toMatch(
      /^NOT_AUTHORIZED nodeattestor\(x509pop\): failed to make spiffe id: /,
    )
  }
})

test('in SPIFFE mode an SVID below the prefix is exchanged, and nothing else', async () => {
  const spiffe = {
    trust: { mode: 'spiffe', svidPrefix: '/spire-exchange' },
    template: '/{{ .PluginName }}/{{ .SVIDPathTrimmed }}',
  } as const
  const own = await testCa()
  const held = ca
  ca = own
  const { id } = await attest(await own.leaf('/spire-exchange/hall/7'), spiffe)
  expect(id).toBe('spiffe://example.org/spire/agent/x509pop/hall/7')
  for (const path of ['/other/hall', '/spire-exchange', '/spire-exchanged/hall']) {
    expect(await refusal(await own.leaf(path), spiffe)).toMatch(/cannot be exchanged/)
  }
  expect(await refusal(await nodeOf({}, own), spiffe)).toMatch(/no URI SAN/)
  const foreign = await own.leaf('', { uriSans: ['spiffe://other.org/spire-exchange/x'] })
  expect(await refusal(foreign, spiffe)).toMatch(/cannot be vouched for/)
  const any = { ...spiffe, trust: { mode: 'spiffe', svidPrefix: '' } } as const
  expect((await attest(await own.leaf('/other/hall'), any)).id).toMatch(/x509pop\/other\/hall$/)
  ca = held
})
