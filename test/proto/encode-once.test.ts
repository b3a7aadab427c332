import { expect, test } from 'vitest'
import { encodingOnce } from '../../proto/encode-once.ts'
import { workloadApi } from '../../proto/load.ts'

const bytesOf = (key: string) => ({
  svids: [{ spiffe_id: 'spiffe://example.org/a', x509_svid_key: Buffer.from(key) }],
})

test('the very same message is encoded once, and as it was before', () => {
  const plain = workloadApi().service
  const { FetchX509SVID } = encodingOnce(plain, ['FetchX509SVID'])
  const message = bytesOf('secret')
  const first = FetchX509SVID.responseSerialize(message)
  expect(FetchX509SVID.responseSerialize(message)).toBe(first)
  expect(first).toEqual(plain.FetchX509SVID.responseSerialize(message))
})

test('messages that are alike are not taken for each other', () => {
  const { FetchX509SVID } = encodingOnce(workloadApi().service, ['FetchX509SVID'])
  const [mine, other] = [bytesOf('mine'), bytesOf('other')]
  expect(FetchX509SVID.responseSerialize(mine)).not.toEqual(FetchX509SVID.responseSerialize(other))
  expect(FetchX509SVID.responseSerialize(bytesOf('mine'))).not.toBe(
    FetchX509SVID.responseSerialize(mine),
  )
})

test('methods that were not named, and the service itself, are left as they are', () => {
  const plain = workloadApi().service
  const before = plain.FetchX509SVID.responseSerialize
  const changed = encodingOnce(plain, ['FetchX509SVID'])
  expect(changed.FetchJWTSVID).toBe(plain.FetchJWTSVID)
  expect(plain.FetchX509SVID.responseSerialize).toBe(before)
  expect(changed.FetchX509SVID.path).toBe(plain.FetchX509SVID.path)
})
