/**
 * What a request to the Istio CA says besides its token: the cluster, another identity, a lifetime, the CSR. Whatever is
 * written in a way that no client writes it is refused, not guessed at.
 *
 * @see Mesh issuance §2.1 and §2.3
 */
import type { Metadata } from '@grpc/grpc-js'
import type { Struct } from '../../../proto/gen/google/protobuf/Struct.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import type { SpiffeId } from '../../../spiffe/id.ts'
import type { Csr } from '../../../spiffe/x509/csr.ts'
import { NAME_FORM } from '../../../spiffe/x509/general-names.ts'
import { commonNameOf } from '../../../spiffe/x509/name.ts'
import { MAX_TOKEN_BYTES } from '../service-account.ts'

const BEARER = /^Bearer (?<token>\S+)$/
/** As istiod's metadata calls them. */
const IMPERSONATED = 'ImpersonatedIdentity'
const SIGNER = 'CertSigner'
const MAX_CLUSTER_LENGTH = 253
/** 2^31 - 1: the longest that any client of ours could mean. */
const MAX_VALIDITY_SECONDS = 2_147_483_647

/** @throws IdentityError REQUEST_INVALID unless there is exactly one bearer token */
export function readBearer(metadata: Metadata): string {
  const headers = metadata.get('authorization')
  const [header] = headers
  if (header === undefined) throw invalid('the header authorization is missing')
  if (headers.length > 1) throw invalid('there is more than one header authorization')
  const token = BEARER.exec(String(header))?.groups?.token
  if (token === undefined) throw invalid('the header authorization is not "Bearer <token>"')
  if (token.length > MAX_TOKEN_BYTES) {
    throw invalid(`the token has ${token.length} bytes, expected at most ${MAX_TOKEN_BYTES}`)
  }
  return token
}

/** @returns empty when the caller names none @throws IdentityError REQUEST_INVALID when it names two */
export function readClusterId(metadata: Metadata): string {
  const headers = metadata.get('clusterid')
  const [header = ''] = headers
  const id = String(header)
  if (headers.length > 1) throw invalid('there is more than one header clusterid')
  if (id.length > MAX_CLUSTER_LENGTH) {
    throw invalid(`the cluster has ${id.length} characters, expected at most ${MAX_CLUSTER_LENGTH}`)
  }
  return id
}

/** @returns undefined: the caller asks for itself @throws IdentityError REQUEST_INVALID */
export function readImpersonated(metadata: Struct | null): string | undefined {
  return readText(metadata, IMPERSONATED)
}

/** @throws IdentityError REQUEST_INVALID for any signer by name: there is only one */
export function refuseSigner(metadata: Struct | null): void {
  const signer = readText(metadata, SIGNER)
  if (signer === undefined) return
  const shown = JSON.stringify(signer.slice(0, 256))
  throw invalid(`there is no cert signer ${shown}: this server signs itself; leave it empty`)
}

function readText(metadata: Struct | null, key: string): string | undefined {
  const value = metadata?.fields?.[key]
  if (value === undefined) return undefined
  if (value.kind !== 'stringValue') throw invalid(`${key} in the metadata is not a string`)
  return value.stringValue === '' ? undefined : value.stringValue
}

/**
 * @param seconds 0 for the default
 * @returns a life of at most `maxSeconds`
 * @throws IdentityError REQUEST_INVALID for what is no lifetime
 */
export function readValidity(
  seconds: number,
  { defaultSeconds, maxSeconds }: { readonly defaultSeconds: number; readonly maxSeconds: number },
): number {
  if (!Number.isSafeInteger(seconds) || seconds < 0 || seconds > MAX_VALIDITY_SECONDS) {
    const why = `validity_duration is ${seconds} s, expected 0 to ${MAX_VALIDITY_SECONDS}`
    throw invalid(why)
  }
  return Math.min(seconds === 0 ? defaultSeconds : seconds, maxSeconds)
}

/**
 * The name that is signed is the caller's, whatever the CSR says; a CSR that says something else is refused, because its
 * maker would not take what it got.
 * @throws IdentityError CSR_INVALID
 */
export function checkNames(csr: Csr, id: SpiffeId): void {
  const { uriSans, nameForms, subject } = csr
  if ([...nameForms].some((form) => form !== NAME_FORM.uri)) {
    throw csrInvalid('the CSR asks for other names than URIs')
  }
  if (commonNameOf(subject) !== undefined) throw csrInvalid('the CSR has a common name')
  const [uri, ...others] = uriSans
  if (others.length > 0) throw csrInvalid(`the CSR asks for ${uriSans.length} URIs, expected one`)
  if (uri !== undefined && uri !== id) {
    const shown = JSON.stringify(uri.slice(0, 2048))
    throw csrInvalid(
      `the CSR asks for ${shown}, but the caller is given ${id}; is the mesh’s trust domain the server’s?`,
    )
  }
}

function invalid(why: string): IdentityError {
  return new IdentityError('REQUEST_INVALID', why)
}

function csrInvalid(why: string): IdentityError {
  return new IdentityError('CSR_INVALID', why)
}
