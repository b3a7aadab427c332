import { createHash, randomBytes, X509Certificate } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { challengeCertificate, placeholderCertificate } from '../../acme/challenge-certificate.ts'
import { generateKey } from '../../spiffe/key.ts'

const key = await generateKey('ec-p256')
const now = new Date('2026-01-01T00:00:00Z')
/** RFC 8737 §3: the extension’s OID, that it is critical, and the digest as an OCTET STRING in its value. */
const identifierOf = (keyAuthorization: string) =>
  Buffer.concat([
    Buffer.from('06082b0601050507011f0101ff04220420', 'hex'),
    createHash('sha256').update(keyAuthorization).digest(),
  ])

test('RFC 8737 §3: one name, a critical digest of the key authorization, signed by its own key', () => {
  const label = fc.stringMatching(/^[a-z][a-z0-9]{0,20}$/)
  const domains = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'))
  fc.assert(
    fc.property(domains, fc.string(), (domain, authorization) => {
      const made = challengeCertificate(domain, authorization, { key, now, randomBytes })
      const certificate = new X509Certificate(made.cert)
      expect(certificate.subjectAltName).toBe(`DNS:${domain}`)
      expect(certificate.verify(certificate.publicKey)).toBe(true)
      expect(certificate.checkPrivateKey(key)).toBe(true)
      expect(certificate.raw.includes(identifierOf(authorization))).toBe(true)
      expect([certificate.validFromDate, certificate.validToDate]).toEqual([
        new Date('2025-12-31T23:00:00Z'),
        new Date('2026-01-08T00:00:00Z'),
      ])
    }),
    { numRuns: 30 },
  )
})

test('the certificate that holds the place proves nothing', () => {
  const made = placeholderCertificate('web.test', { key, now, randomBytes })
  const certificate = new X509Certificate(made.cert)
  expect(certificate.raw.includes(Buffer.from('06082b0601050507011f', 'hex'))).toBe(false)
  expect(certificate.ca).toBe(false)
})
