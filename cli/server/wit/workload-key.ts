/** Which key fits an algorithm, in the words in which SPIRE refuses one that does not. */
import { IdentityError } from '../../../spiffe/error.ts'
import { KEY_TYPES, type KeyType } from '../../../spiffe/key.ts'

const RSA: readonly KeyType[] = ['rsa-2048', 'rsa-4096']

const KEYS_OF: ReadonlyMap<string, readonly KeyType[]> = new Map([
  ['ES256', ['ec-p256']],
  ['ES384', ['ec-p384']],
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map((name) => [name, RSA] as const),
])

export const SIGNING_ALGORITHMS: readonly string[] = [...KEYS_OF.keys()]

/** @throws IdentityError REQUEST_INVALID */
export function workloadKeyType(keyType: string, signingAlgorithm: string): KeyType {
  const fitting = KEYS_OF.get(signingAlgorithm)
  if (fitting === undefined) throw refusal(`unsupported signing algorithm: ${signingAlgorithm}`)
  const found = KEY_TYPES.find((type) => type === keyType)
  if (found !== undefined && fitting.includes(found)) return found
  const what = `unsupported key type '${keyType}' for `
  throw refusal(
    fitting === RSA
      ? `${what}signing algorithm '${signingAlgorithm}'`
      : `${what}'${signingAlgorithm}' signing algorithm`,
  )
}

function refusal(message: string): IdentityError {
  return new IdentityError('REQUEST_INVALID', message)
}
