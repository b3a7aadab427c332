import type { DetailedPeerCertificate } from 'node:tls'
import { expect, test } from 'vitest'
import { peerChain } from '../../proto/peer-chain.ts'

/** Certificates as Node links them; the last is its own issuer when it is self-signed. */
function linked(names: readonly string[], { selfSigned }: { selfSigned: boolean }) {
  const all: { raw: Buffer; issuerCertificate?: object }[] = names.map((name) => ({
    raw: Buffer.from(name),
  }))
  for (const [index, one] of all.entries()) {
    const issuer = all[index + 1] ?? (selfSigned ? one : undefined)
    if (issuer !== undefined) one.issuerCertificate = issuer
  }
  return all
}

// Cast: of the many fields only these two are read.
const chainOf = (leaf: unknown) =>
  peerChain(leaf as DetailedPeerCertificate | undefined).map((der) => String(der))

test.for([true, false])('gives the leaf first (self-signed end: %s)', (selfSigned) => {
  const [leaf] = linked(['leaf', 'intermediate', 'root'], { selfSigned })
  expect(chainOf(leaf)).toEqual(['leaf', 'intermediate', 'root'])
})

test.for([[undefined], [{}]])('is empty when the peer presented nothing: %j', ([leaf]) => {
  expect(chainOf(leaf)).toEqual([])
})

test('reads no more than ten certificates, however many were sent', () => {
  const names = Array.from({ length: 50 }, (_, index) => String(index))
  expect(chainOf(linked(names, { selfSigned: false })[0])).toEqual(names.slice(0, 10))
})

test('ends when two certificates name each other as issuer', () => {
  const [one, other] = linked(['one', 'other'], { selfSigned: false })
  if (other !== undefined && one !== undefined) other.issuerCertificate = one
  expect(chainOf(one)).toHaveLength(10)
})
