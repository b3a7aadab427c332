/** What every key store must do. */
import { createPublicKey, sign, verify } from 'node:crypto'
import { expect, test } from 'vitest'
import type { KeyStore } from '../../../../server/ca/key-store/key-store.ts'
import { type KeyType, keyTypeOf, toPkcs8 } from '../../../../spiffe/key.ts'

export function keyStoreContract(name: string, open: () => Promise<KeyStore>): void {
  test.for(['ec-p256', 'ec-p384', 'rsa-2048', 'rsa-4096'] as const satisfies readonly KeyType[])(
    `${name}: makes a %s key that signs`,
    async (type) => {
      const store = await open()
      const key = await store.generate('x509-CA-A', type)
      expect(keyTypeOf(key)).toBe(type)
      const data = Buffer.from('to be signed')
      const publicKey = createPublicKey(key)
      expect(verify('sha256', data, publicKey, sign('sha256', data, key))).toBe(true)
    },
  )

  test(`${name}: gives back the key that was made, and nothing for another ID`, async () => {
    const store = await open()
    const made = await store.generate('x509-CA-A', 'ec-p256')
    const loaded = await store.load('x509-CA-A')
    expect(loaded && toPkcs8(loaded).equals(toPkcs8(made))).toBe(true)
    expect(await store.load('x509-CA-B')).toBeUndefined()
    expect(await store.load('constructor')).toBeUndefined()
    expect(await store.load('__proto__')).toBeUndefined()
  })

  test(`${name}: a new key replaces the one of the same ID and no other`, async () => {
    const store = await open()
    const other = await store.generate('JWT-Signer-A', 'ec-p256')
    const first = await store.generate('x509-CA-A', 'ec-p256')
    const second = await store.generate('x509-CA-A', 'ec-p256')
    expect(toPkcs8(second).equals(toPkcs8(first))).toBe(false)
    expect((await store.load('x509-CA-A'))?.equals(second)).toBe(true)
    expect((await store.load('JWT-Signer-A'))?.equals(other)).toBe(true)
  })

  test(`${name}: keys made at the same time are all kept`, async () => {
    const store = await open()
    const keyIds = Array.from({ length: 20 }, (_, at) => `key-${at}`)
    const made = await Promise.all(keyIds.map((keyId) => store.generate(keyId, 'ec-p256')))
    for (const [at, keyId] of keyIds.entries()) {
      const loaded = await store.load(keyId)
      expect(loaded?.equals(made[at] ?? expect.unreachable())).toBe(true)
    }
  })
}
