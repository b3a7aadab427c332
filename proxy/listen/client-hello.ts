/**
 * Reads the first bytes of a TLS connection as far as is needed to decide what to do with it: the server name and the
 * protocols that the client offers. It never throws and never believes a length beyond its bounds; what is not a ClientHello
 * is said to be none.
 *
 * @see RFC 8446 §4.1.2 — ClientHello; RFC 6066 §3 — server name; RFC 7301 §3.1 — ALPN
 */

export interface ClientHello {
  readonly serverName: string | undefined
  /** In the client's order; empty when it offers none. */
  readonly alpn: readonly string[]
}

export type ClientHelloResult =
  /** The bytes so far may be the beginning of one. */
  | { readonly kind: 'more' }
  | { readonly kind: 'hello'; readonly hello: ClientHello }
  | { readonly kind: 'none' }

const RECORD_HANDSHAKE = 0x16
const MESSAGE_CLIENT_HELLO = 1
const EXTENSION_SERVER_NAME = 0
const EXTENSION_ALPN = 16
const RECORD_HEADER_BYTES = 5
const MESSAGE_HEADER_BYTES = 4
const MAX_RECORD_BYTES = 16_384
/** Bytes of the whole message; with post-quantum keys they have about 1,800. OpenSSL takes as much. */
export const MAX_CLIENT_HELLO_BYTES = 131_396
/** Records that one message may be spread over. */
const MAX_RECORDS = 64
const MAX_PROTOCOLS = 32

const MORE = { kind: 'more' } as const
const NONE = { kind: 'none' } as const

/** @param bytes everything that the client has sent so far */
export function readClientHello(bytes: Buffer): ClientHelloResult {
  const gathered = gatherMessage(bytes)
  if (!Buffer.isBuffer(gathered)) return gathered
  const hello = parseHello(gathered)
  return hello === undefined ? NONE : { kind: 'hello', hello }
}

/** The body of the first handshake message, put together from its records. */
function gatherMessage(bytes: Buffer): Buffer | typeof MORE | typeof NONE {
  const parts: Buffer[] = []
  let have = 0
  let wanted = MESSAGE_HEADER_BYTES
  for (let at = 0, records = 0; ; records += 1) {
    if (records === MAX_RECORDS) return NONE
    if (bytes.length > at && bytes[at] !== RECORD_HANDSHAKE) return NONE
    if (bytes.length > at + 1 && bytes[at + 1] !== 3) return NONE
    if (bytes.length < at + RECORD_HEADER_BYTES) return MORE
    const length = bytes.readUInt16BE(at + 3)
    if (length === 0 || length > MAX_RECORD_BYTES) return NONE
    const record = bytes.subarray(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + length)
    parts.push(record)
    have += record.length
    if (wanted === MESSAGE_HEADER_BYTES && have >= MESSAGE_HEADER_BYTES) {
      const header = Buffer.concat(parts)
      if (header[0] !== MESSAGE_CLIENT_HELLO) return NONE
      wanted += header.readUIntBE(1, 3)
      if (wanted > MAX_CLIENT_HELLO_BYTES) return NONE
    }
    if (wanted > MESSAGE_HEADER_BYTES && have >= wanted) {
      return Buffer.concat(parts).subarray(MESSAGE_HEADER_BYTES, wanted)
    }
    if (record.length < length) return MORE
    at += RECORD_HEADER_BYTES + length
  }
}

const VERSION_AND_RANDOM_BYTES = 34

function parseHello(body: Buffer): ClientHello | undefined {
  const reader = readerOf(body)
  reader.skip(VERSION_AND_RANDOM_BYTES)
  reader.vector(1) // legacy session ID
  reader.vector(2) // cipher suites
  reader.vector(1) // compression methods
  if (reader.failed()) return undefined
  if (reader.left() === 0) return { serverName: undefined, alpn: [] }
  const extensions = readerOf(reader.vector(2))
  if (reader.failed()) return undefined
  let serverName: string | undefined
  let alpn: readonly string[] = []
  while (extensions.left() > 0) {
    const type = extensions.uint16()
    const data = extensions.vector(2)
    if (extensions.failed()) return undefined
    if (type === EXTENSION_SERVER_NAME) serverName = readServerName(data)
    if (type === EXTENSION_ALPN) {
      const read = readProtocols(data)
      if (read === undefined) return undefined
      alpn = read
    }
  }
  return { serverName, alpn }
}

/** A name that is no host name counts as none. */
function readServerName(data: Buffer): string | undefined {
  const names = readerOf(readerOf(data).vector(2))
  const isHostName = names.vectorAfterByte(0)
  if (names.failed() || isHostName === undefined) return undefined
  const name = isHostName.toString('latin1')
  return /^[A-Za-z0-9._-]{1,255}$/.test(name) ? name.toLowerCase() : undefined
}

function readProtocols(data: Buffer): readonly string[] | undefined {
  const outer = readerOf(data)
  const names = readerOf(outer.vector(2))
  if (outer.failed()) return undefined
  const protocols: string[] = []
  while (names.left() > 0) {
    const name = names.vector(1)
    if (names.failed() || name.length === 0 || protocols.length === MAX_PROTOCOLS) return undefined
    protocols.push(name.toString('latin1'))
  }
  return protocols
}

/** Reads on through bytes; after the first step beyond their end it gives nothing but emptiness. */
function readerOf(bytes: Buffer) {
  let at = 0
  let isBeyond = false
  const take = (length: number): Buffer => {
    if (isBeyond || at + length > bytes.length) {
      isBeyond = true
      return Buffer.alloc(0)
    }
    at += length
    return bytes.subarray(at - length, at)
  }
  const uint = (size: number): number => {
    const taken = take(size)
    return taken.length === size ? taken.readUIntBE(0, size) : 0
  }
  const vector = (lengthBytes: number): Buffer => take(uint(lengthBytes))
  return {
    failed: () => isBeyond,
    left: () => (isBeyond ? 0 : bytes.length - at),
    skip: (length: number) => void take(length),
    uint16: () => uint(2),
    vector,
    /** @returns undefined when another byte stands there */
    vectorAfterByte: (byte: number) => (uint(1) === byte ? vector(2) : undefined),
  }
}
