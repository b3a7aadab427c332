/**
 * IP addresses and CIDR blocks as numbers, for matching at the rate of requests. Only the plain forms are read: no
 * leading zeros, no zones, no shortened IPv4. An IPv4 address inside IPv6 (`::ffff:10.1.2.3`) is that IPv4 address,
 * because that is how a dual-stack socket names its peer.
 */

/** Four 32-bit words, most significant first; of IPv4 only the first is used. */
export interface IpAddress {
  readonly family: 4 | 6
  readonly words: readonly [number, number, number, number]
}

export interface IpBlock {
  readonly family: 4 | 6
  readonly bits: number
  /** The network's address: bits behind the prefix are zero. */
  readonly words: readonly [number, number, number, number]
}

/** Undefined for anything that is not an address. */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (!text.includes(':')) {
    const word = parseIpv4(text)
    return word === undefined ? undefined : { family: 4, words: [word, 0, 0, 0] }
  }
  const groups = parseIpv6(text)
  if (groups === undefined) return undefined
  const word = (at: number) => (((groups[at] ?? 0) << 16) | (groups[at + 1] ?? 0)) >>> 0
  const words = [word(0), word(2), word(4), word(6)] as const
  return words[0] === 0 && words[1] === 0 && words[2] === 0xffff
    ? { family: 4, words: [words[3], 0, 0, 0] }
    : { family: 6, words }
}

/** An address, or an address with `/bits`. Bits behind the prefix are ignored, as Envoy does. */
export function parseIpBlock(text: string): IpBlock | undefined {
  const slash = text.indexOf('/')
  const address = parseIpAddress(slash === -1 ? text : text.slice(0, slash))
  if (address === undefined) return undefined
  const written = slash === -1 ? undefined : text.slice(slash + 1)
  const most = address.family === 4 && !text.includes(':') ? 32 : 128
  if (written !== undefined && !/^(0|[1-9]\d{0,2})$/.test(written)) return undefined
  const asked = written === undefined ? most : Number(written)
  if (asked > most) return undefined
  const mapped = address.family === 4 && most === 128
  if (mapped && asked < MAPPED_BITS) return undefined
  const bits = mapped ? asked - MAPPED_BITS : asked
  return { family: address.family, bits, words: maskWords(address.words, bits) }
}

/** Length of `::ffff:0:0/96`. */
const MAPPED_BITS = 96

export function blockHolds(block: IpBlock, address: IpAddress): boolean {
  if (block.family !== address.family) return false
  for (let word = 0, bits = block.bits; bits > 0; word += 1, bits -= 32) {
    if (((address.words[word] ?? 0) & wordMask(bits)) >>> 0 !== block.words[word]) return false
  }
  return true
}

/** The text that an address and the block of this length around it share; equal for nothing else. */
export function blockKey(address: IpAddress | IpBlock, bits: number): string {
  const [a, b, c, d] = maskWords(address.words, bits)
  return address.family === 4 ? `${a}/${bits}` : `${a}:${b}:${c}:${d}/${bits}`
}

const maskWords = (words: IpBlock['words'], bits: number): IpBlock['words'] => [
  (words[0] & wordMask(bits)) >>> 0,
  (words[1] & wordMask(bits - 32)) >>> 0,
  (words[2] & wordMask(bits - 64)) >>> 0,
  (words[3] & wordMask(bits - 96)) >>> 0,
]

/** `bits` may be under 0 or over 32. A shift by 32 would shift by nothing. */
const wordMask = (bits: number): number => (bits >= 32 ? -1 : bits <= 0 ? 0 : -1 << (32 - bits))

/** One walk over at most fifteen characters: this runs for each decision that asks for an address. */
function parseIpv4(text: string): number | undefined {
  if (text.length > 15) return undefined
  let word = 0
  let byte = -1
  let dots = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === DOT) {
      if (byte === -1) return undefined
      word = word * 256 + byte
      byte = -1
      dots += 1
    } else {
      // A leading zero reads as octal elsewhere, and so names two addresses.
      if (code < ZERO || code > ZERO + 9 || byte === 0) return undefined
      byte = Math.max(byte, 0) * 10 + code - ZERO
      if (byte > 255) return undefined
    }
  }
  return dots === 3 && byte !== -1 ? word * 256 + byte : undefined
}

const DOT = 0x2e
const ZERO = 0x30

/** Eight 16-bit groups. */
function parseIpv6(text: string): readonly number[] | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const before = groupsOf(halves[0] ?? '', halves.length === 1)
  const after = groupsOf(halves[1] ?? '', true)
  if (before === undefined || after === undefined) return undefined
  if (halves.length === 1) return before.length === 8 ? before : undefined
  const missing = 8 - before.length - after.length
  return missing >= 1 ? [...before, ...new Array<number>(missing).fill(0), ...after] : undefined
}

/** `mayEndInIpv4`: only the last two groups of an address may be written as IPv4. */
function groupsOf(text: string, mayEndInIpv4: boolean): readonly number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [at, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16))
      continue
    }
    const word = at === parts.length - 1 && mayEndInIpv4 ? parseIpv4(part) : undefined
    if (word === undefined) return undefined
    groups.push(word >>> 16, word & 0xffff)
  }
  return groups
}
