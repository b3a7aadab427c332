/**
 * Header names that carry framing, routing or trust. They may not come under another spelling, be named by `Connection` to be
 * dropped on the way, or hide in a trailer. Refusing is the safe side: no honest client does any of it.
 */

const FRAMING = ['content-length', 'transfer-encoding', 'host', 'connection', 'upgrade', 'te']
const TRUST = ['authorization', 'cookie', 'forwarded', 'x-request-id', 'x-real-ip', 'via']

/** @param name in lower case */
export function isReserved(name: string): boolean {
  return (
    FRAMING.includes(name) ||
    TRUST.includes(name) ||
    name.startsWith('x-forwarded-') ||
    name.startsWith('x-envoy-')
  )
}

/** Names that may not stand in a trailer; those of a response are believed except for framing. @param name in lower case */
export function isForbiddenInTrailer(name: string, ofRequest: boolean): boolean {
  const plain = name.replaceAll('_', '-')
  return ofRequest
    ? isReserved(plain)
    : plain === 'content-length' || plain === 'transfer-encoding' || plain === 'connection'
}
