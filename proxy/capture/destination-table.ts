/**
 * How captured connections go on, by the address and port that they were going to. Pure. The narrowest block that holds the
 * address decides; among equally narrow ones that which names the port; among those the first of the file.
 */
import { blockKey, parseIpAddress } from '../../policy/ip-block.ts'
import type { DestinationConfig } from '../config/mesh-transport.ts'

export type DestinationTable = (ip: string, port: number) => DestinationConfig | undefined

export function destinationTable(destinations: readonly DestinationConfig[]): DestinationTable {
  /** Family and bits → key of the block → those of the file. */
  const lengths = new Map<string, Map<string, DestinationConfig[]>>()
  const blocks = destinations.flatMap((one) => one.addresses.map((block) => ({ block, one })))
  // Maps keep their order: the longest prefix is asked first.
  for (const { block, one } of blocks.sort((a, b) => b.block.bits - a.block.bits)) {
    const length = `${block.family} ${block.bits}`
    const byKey = lengths.get(length) ?? new Map<string, DestinationConfig[]>()
    const key = blockKey(block, block.bits)
    lengths.set(length, byKey)
    byKey.set(key, [...(byKey.get(key) ?? []), one])
  }
  return (ip, port) => {
    const address = parseIpAddress(ip)
    if (address === undefined) return undefined
    for (const [length, byKey] of lengths) {
      const [family, bits] = length.split(' ').map(Number)
      if (family !== address.family || bits === undefined) continue
      const held = byKey.get(blockKey(address, bits)) ?? []
      const found =
        held.find(({ ports }) => ports.includes(port)) ??
        held.find(({ ports }) => ports.length === 0)
      if (found !== undefined) return found
    }
    return undefined
  }
}
