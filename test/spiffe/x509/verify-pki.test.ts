import { beforeAll, expect, test } from 'vitest'
import type { IdentityError } from '../../../spiffe/error.ts'
import { verifyPkiChain } from '../../../spiffe/x509/verify-pki.ts'
import { TEST_NOW, type TestCa, type TestLeaf, testCa } from '../../fakes/ca.ts'
import { KEY_USAGE } from '../../fakes/certificate.ts'

let ca: TestCa
let issuing: TestCa
beforeAll(async () => {
  ca = await testCa({ uriSans: [] })
  issuing = await ca.intermediate({ uriSans: [] })
})

const PLAIN = { uriSans: [], extKeyUsage: undefined }
const verify = (leaf: Pick<TestLeaf, 'chain'>, maxIntermediates = 4) =>
  verifyPkiChain({
    chain: leaf.chain,
    authorities: ca.bundle.x509Authorities,
    now: TEST_NOW,
    maxIntermediates,
  })

const refusal = (leaf: Pick<TestLeaf, 'chain'>, max?: number) => {
  try {
    verify(leaf, max)
  } catch (error) {
    const { code, message } = error as IdentityError // whatever else it is has no code
    return `${code} ${message}`
  }
  return expect.unreachable('it was believed')
}

test('a certificate without a SPIFFE ID is believed by its path, which is told', async () => {
  const leaf = await issuing.leaf('', PLAIN)
  const { path } = verify(leaf)
  expect(path.map(({ der }) => Buffer.from(der))).toEqual(
    [leaf.certificate, issuing.certificate, ca.certificate].map((der) => Buffer.from(der)),
  )
})

test('intermediates come in any order', async () => {
  const deep = await issuing.intermediate({ uriSans: [] })
  const { chain } = await deep.leaf('', PLAIN)
  const [leaf, ...others] = chain
  if (leaf === undefined) return expect.unreachable()
  expect(verify({ chain: [leaf, ...others.toReversed()] }).path).toHaveLength(4)
})

test.for([
  [
    'of another authority',
    async () => (await testCa({ uriSans: [] })).leaf('', PLAIN),
    /^CERTIFICATE_UNTRUSTED .*unknown authority/,
  ],
  [
    'that has expired',
    () => issuing.leaf('', { ...PLAIN, notAfter: new Date('2026-01-01T01:00:00Z') }),
    /expired/,
  ],
  [
    'without its intermediate',
    async () => ({ chain: [(await issuing.leaf('', PLAIN)).certificate] }),
    /unknown authority/,
  ],
  [
    'that may not sign',
    () => issuing.leaf('', { ...PLAIN, keyUsage: KEY_USAGE.keyEncipherment }),
    /^CERTIFICATE_UNTRUSTED leaf certificate lacks the key usage digitalSignature$/,
  ],
  [
    'that does not say what it may do',
    () => issuing.leaf('', { ...PLAIN, keyUsage: undefined }),
    /lacks the key usage digitalSignature/,
  ],
  ['that is none', async () => ({ chain: [Buffer.from('x')] }), /^CERTIFICATE_MALFORMED/],
  [
    'that is not there',
    async () => ({ chain: [] }),
    /^CERTIFICATE_UNTRUSTED no certificate was presented$/,
  ],
] as const)('a certificate %s is refused', async ([, make, why]) => {
  expect(refusal(await make())).toMatch(why)
})

test('one intermediate more than is allowed is refused', async () => {
  const leaf = await issuing.leaf('', PLAIN)
  expect(refusal(leaf, 0)).toMatch(/^CERTIFICATE_UNTRUSTED 1 intermediate certificates/)
  expect(verify(leaf, 1).path).toHaveLength(3)
})
