/**
 * Node attestation by a certificate that the machine has from elsewhere, and its private key. The files are read at
 * every attestation: whoever renews them need not restart the agent. The key never leaves the process.
 *
 * @see SPIRE behaviour §2 — x509pop
 */
import { createPrivateKey, type KeyObject } from 'node:crypto'
import {
  readX509PopChallenge,
  writeX509PopAnswer,
  writeX509PopPayload,
} from '../../proto/x509pop.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { spkiOf } from '../../spiffe/key.ts'
import type { RandomBytes } from '../../spiffe/random.ts'
import { parseCertificate } from '../../spiffe/x509/certificate.ts'
import { fromPem } from '../../spiffe/x509/pem.ts'
import { NONCE_BYTES, possessionKindOf, provePossession } from '../../spiffe/x509/possession.ts'
import type { NodeAttestor } from './node-attestor.ts'

export interface X509PopOptions {
  readonly certificatePath: string
  readonly intermediatesPath: string | undefined
  readonly privateKeyPath: string
}

export interface X509PopDeps {
  /** @throws IdentityError CONFIG_INVALID */
  readText(path: string): string
  readonly randomBytes: RandomBytes
}

const ADVICE =
  'check certificate_path, private_key_path and intermediates_path of x509pop, and the ca_bundle_path of the server'

export function x509PopAttestor(options: X509PopOptions, deps: X509PopDeps): NodeAttestor {
  let key: KeyObject | undefined
  return {
    type: 'x509pop',
    advice: ADVICE,
    async payload() {
      const chain = readChain(options, deps)
      key = readKey(options, deps, chain[0])
      return writeX509PopPayload(chain)
    },
    async answer(message) {
      const { kind, nonce } = readX509PopChallenge(message)
      if (key === undefined) throw new Error('a challenge before the payload')
      if (kind !== possessionKindOf(key)) {
        const why = `the server challenged a key of kind ${kind}, which ${options.privateKeyPath} is not`
        throw new IdentityError('REQUEST_INVALID', why)
      }
      return writeX509PopAnswer(provePossession(key, nonce, deps.randomBytes(NONCE_BYTES)))
    },
  }
}

/** DER, leaf first. */
function readChain(
  { certificatePath, intermediatesPath }: X509PopOptions,
  deps: X509PopDeps,
): readonly Uint8Array[] {
  return [
    ...readCertificates('certificate_path', certificatePath, deps),
    ...(intermediatesPath === undefined
      ? []
      : readCertificates('intermediates_path', intermediatesPath, deps)),
  ]
}

function readCertificates(
  name: string,
  path: string,
  { readText }: X509PopDeps,
): readonly Uint8Array[] {
  const pem = readText(path)
  try {
    return fromPem('CERTIFICATE', pem)
  } catch (error) {
    throw invalid(`${name} ${path} cannot be used: ${reasonOf(error)}`, error)
  }
}

function readKey(
  { certificatePath, privateKeyPath }: X509PopOptions,
  { readText }: X509PopDeps,
  leaf: Uint8Array | undefined,
): KeyObject {
  const key = parseKey(readText(privateKeyPath), privateKeyPath)
  if (possessionKindOf(key) === undefined) {
    throw invalid(
      `private_key_path ${privateKeyPath} holds a key of type ${key.asymmetricKeyType}, expected RSA or EC`,
    )
  }
  if (leaf === undefined || !spkiOf(key).equals(spkiOfLeaf(leaf, certificatePath))) {
    throw invalid(
      `private_key_path ${privateKeyPath} is not the key of the first certificate in ${certificatePath}`,
    )
  }
  return key
}

function spkiOfLeaf(leaf: Uint8Array, path: string): Uint8Array {
  try {
    return parseCertificate(leaf).spki
  } catch (error) {
    throw invalid(`certificate_path ${path} cannot be used: ${reasonOf(error)}`, error)
  }
}

/** The message says nothing of what the file holds. */
function parseKey(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    throw invalid(`private_key_path ${path} is not an unencrypted private key in PEM`)
  }
}

function invalid(why: string, cause?: unknown): IdentityError {
  return new IdentityError('CONFIG_INVALID', why, { cause })
}
