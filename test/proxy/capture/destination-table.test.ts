import fc from 'fast-check'
import { expect, test } from 'vitest'
import { blockHolds, parseIpAddress, parseIpBlock } from '../../../policy/ip-block.ts'
import { destinationTable } from '../../../proxy/capture/destination-table.ts'
import type { DestinationConfig } from '../../../proxy/config/mesh-transport.ts'

function destination(
  name: string,
  addresses: readonly string[],
  ports: readonly number[] = [],
): DestinationConfig {
  const blocks = addresses.flatMap((text) => parseIpBlock(text) ?? [])
  return {
    ...{ name, addresses: blocks, ports, transport: 'hbone', authorize: [] },
    ...{ hbonePort: 15_008, protocol: 'auto', service: undefined },
  }
}

const table = destinationTable([
  destination('all', ['0.0.0.0/0', '::/0']),
  destination('net', ['10.1.0.0/16', 'fd00::/8']),
  destination('host', ['10.1.2.3']),
  destination('host again', ['10.1.2.3']),
  destination('port of host', ['10.1.2.3'], [5432]),
  destination('port of net', ['10.1.0.0/16'], [443]),
])

test.each([
  ['10.1.2.3', 80, 'host'],
  ['10.1.2.3', 5432, 'port of host'],
  ['10.1.2.3', 443, 'host'],
  ['10.1.9.9', 80, 'net'],
  ['10.1.9.9', 443, 'port of net'],
  ['::ffff:10.1.2.3', 80, 'host'],
  ['fd00::1', 80, 'net'],
  ['2001:db8::1', 80, 'all'],
  ['192.0.2.1', 80, 'all'],
])('%s port %i goes by “%s”', (ip, port, name) => {
  expect(table(ip, port)?.name).toBe(name)
})

test('a block of some ports is not about others', () => {
  const one = destinationTable([destination('db', ['10.1.2.3'], [5432])])
  expect(one('10.1.2.3', 80)).toBeUndefined()
})

test.each(['', 'db.shop', '10.1.2', '10.1.2.3/32'])('%j is no address and goes nowhere', (ip) => {
  expect(table(ip, 80)).toBeUndefined()
})

test('the narrowest of the blocks that hold an address is found, as by looking at each', () => {
  const ip = fc.tuple(...Array.from({ length: 4 }, () => fc.integer({ min: 0, max: 3 })))
  const block = fc.tuple(ip, fc.integer({ min: 0, max: 32 }))
  fc.assert(
    fc.property(fc.array(block, { maxLength: 12 }), ip, (blocks, asked) => {
      const configs = blocks.map(([parts, bits], at) =>
        destination(String(at), [`${parts.join('.')}/${bits}`]),
      )
      const address = parseIpAddress(asked.join('.'))
      if (address === undefined) throw new Error('not an address')
      const holding = configs.filter(({ addresses }) =>
        addresses.some((one) => blockHolds(one, address)),
      )
      const bitsOf = (one: DestinationConfig) => one.addresses[0]?.bits ?? -1
      const narrowest = Math.max(...holding.map(bitsOf))
      const expected = holding.find((one) => bitsOf(one) === narrowest)
      expect(destinationTable(configs)(asked.join('.'), 80)).toBe(expected)
    }),
  )
})
