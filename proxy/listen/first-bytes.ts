/**
 * What a connection turned out to be when its first bytes were looked at, or when the time for that was over. A client that
 * said nothing at all waits for its server to speak first, which is TCP. One that has begun what may become HTTP is HTTP, so that
 * stopping in the middle of a request line does not get it past the parser.
 */
import type { Duplex } from 'node:stream'
import type { ProxyContext } from '../proxy.ts'
import { type Peeked, peek } from './peek.ts'
import { type Sniffed, sniff, sniffPlaintext } from './sniff.ts'

type PlainKind = Exclude<Sniffed['kind'], 'tls'>

const HANDSHAKE_RECORD = 0x16

/** @param done given undefined for a client that is silent; not called for one that has gone */
export function lookAt(
  { deadlines, detectionTimeoutMs: timeoutMs }: ProxyContext,
  stream: Duplex,
  done: (seen: Sniffed | undefined) => void,
): void {
  const look = (bytes: Buffer): Sniffed | undefined => {
    const result = sniff(bytes)
    return result.kind === 'more' ? undefined : result
  }
  peek(stream, { look, deadlines, timeoutMs }, (peeked) => {
    if (peeked.kind === 'seen') done(peeked.seen)
    else if (peeked.begun?.[0] === HANDSHAKE_RECORD) done({ kind: 'other' })
    else done(kindOfSilent(peeked))
  })
}

/** As `lookAt`, inside a connection that is encrypted already, or from a client that speaks no TLS to us. */
export function lookAtPlaintext(
  { deadlines, detectionTimeoutMs: timeoutMs }: ProxyContext,
  stream: Duplex,
  done: (kind: PlainKind) => void,
): void {
  const look = (bytes: Buffer): { readonly kind: PlainKind } | undefined => {
    const result = sniffPlaintext(bytes)
    return result.kind === 'more' ? undefined : result
  }
  peek(stream, { look, deadlines, timeoutMs }, (peeked) => {
    done(peeked.kind === 'seen' ? peeked.seen.kind : (kindOfSilent(peeked)?.kind ?? 'other'))
  })
}

function kindOfSilent({
  begun,
}: Extract<Peeked<never>, { kind: 'silent' }>): { readonly kind: 'http1' } | undefined {
  return begun === undefined ? undefined : { kind: 'http1' }
}
