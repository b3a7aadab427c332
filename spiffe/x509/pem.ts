/**
 * PEM: base64 between matching lines. Text around the blocks is ignored, a block that is cut off or of another
 * kind than wanted is refused.
 *
 * @see RFC 7468 §3
 */
import { IdentityError } from '../error.ts'

export type PemLabel = 'CERTIFICATE' | 'PRIVATE KEY' | 'PUBLIC KEY' | 'CERTIFICATE REQUEST'

const MAX_PEM_BYTES = 4 * 1024 * 1024
const LINE_LENGTH = 64
const BEGIN = '-----BEGIN '
const LABEL = /^[A-Z0-9 ]{1,64}$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/**
 * The contents of all blocks, in order.
 * @throws IdentityError CERTIFICATE_MALFORMED, also when there is none; the message has nothing of the contents
 */
export function fromPem(label: PemLabel, text: string): readonly Buffer[] {
  if (text.length > MAX_PEM_BYTES) throw malformed(`it is longer than ${MAX_PEM_BYTES} bytes`)
  const [, ...blocks] = text.split(BEGIN)
  if (blocks.length === 0) throw malformed(`it has no block "${label}"`)
  return blocks.map((block) => {
    const line = block.indexOf('-----')
    const seen = block.slice(0, line)
    if (line === -1 || !LABEL.test(seen)) throw malformed('it has a broken BEGIN line')
    // Before anything else, so that a private key is never taken for a public document.
    if (seen !== label) throw malformed(`it has a block "${seen}", expected "${label}"`)
    const end = block.indexOf(`-----END ${label}-----`, line)
    if (end === -1) throw malformed(`a block "${label}" is cut off`)
    const body = block.slice(line + '-----'.length, end).replace(/\s+/g, '')
    if (body === '' || !BASE64.test(body)) throw malformed(`a block "${label}" is not base64`)
    return Buffer.from(body, 'base64')
  })
}

export function toPem(label: PemLabel, der: Uint8Array): string {
  const base64 = Buffer.from(der).toString('base64')
  const lines: string[] = []
  for (let start = 0; start < base64.length; start += LINE_LENGTH) {
    lines.push(base64.slice(start, start + LINE_LENGTH))
  }
  return `${BEGIN}${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

/** Certificates one after the other, in their order. @param ders DER */
export function toPemChain(ders: readonly Uint8Array[]): string {
  return ders.map((der) => toPem('CERTIFICATE', der)).join('')
}

function malformed(why: string): IdentityError {
  return new IdentityError('CERTIFICATE_MALFORMED', `malformed PEM: ${why}`)
}
