import { expect, test } from 'vitest'
import {
  IPTABLES_JUMPS,
  iptablesRemoval,
  iptablesRules,
  nftRemoval,
  nftRules,
} from '../../../proxy/capture/rules.ts'

const rules = {
  inboundPort: 15_006,
  outboundPort: 15_001,
  hbonePort: 15_008,
  mark: 0x539,
  proxyUid: undefined,
  excludedInboundPorts: [9090, 15_008],
}

test('nft gets both families in one table, which replaces the one before', () => {
  expect(nftRules(rules)).toMatchInlineSnapshot(`
    "table inet steeple
    delete table inet steeple
    table inet steeple {
      chain prerouting {
        type nat hook prerouting priority -100; policy accept;
        ip saddr 169.254.7.127 accept
        ip6 saddr fd16:9254:7127:1337:ffff:ffff:ffff:ffff accept
        iifname "lo" accept
        tcp dport { 15008, 9090 } accept
        meta mark & 0xfff == 0x539 accept
        meta l4proto tcp redirect to :15006
      }
      chain output {
        type nat hook output priority -100; policy accept;
        ip daddr 169.254.7.127 accept
        ip6 daddr fd16:9254:7127:1337:ffff:ffff:ffff:ffff accept
        oifname "lo" accept
        meta mark & 0xfff == 0x539 accept
        meta l4proto tcp redirect to :15001
      }
    }
    "
  `)
})

test('iptables gets each family by itself', () => {
  expect(iptablesRules(4, rules)).toMatchInlineSnapshot(`
    "*nat
    :STEEPLE_PREROUTING - [0:0]
    :STEEPLE_OUTPUT - [0:0]
    -A PREROUTING -p tcp -j STEEPLE_PREROUTING
    -A OUTPUT -p tcp -j STEEPLE_OUTPUT
    -A STEEPLE_PREROUTING -s 169.254.7.127/32 -j ACCEPT
    -A STEEPLE_PREROUTING -i lo -j ACCEPT
    -A STEEPLE_PREROUTING -p tcp --dport 15008 -j ACCEPT
    -A STEEPLE_PREROUTING -p tcp --dport 9090 -j ACCEPT
    -A STEEPLE_PREROUTING -m mark --mark 0x539/0xfff -j ACCEPT
    -A STEEPLE_PREROUTING -p tcp -j REDIRECT --to-ports 15006
    -A STEEPLE_OUTPUT -d 169.254.7.127/32 -j ACCEPT
    -A STEEPLE_OUTPUT -o lo -j ACCEPT
    -A STEEPLE_OUTPUT -m mark --mark 0x539/0xfff -j ACCEPT
    -A STEEPLE_OUTPUT -p tcp -j REDIRECT --to-ports 15001
    COMMIT
    "
  `)
  expect(iptablesRules(6, rules)).toContain(
    '-A STEEPLE_OUTPUT -d fd16:9254:7127:1337:ffff:ffff:ffff:ffff/128 -j ACCEPT',
  )
})

test('jumps that are there already are not made again', () => {
  expect(iptablesRules(4, rules, [])).not.toMatch(/-A (PREROUTING|OUTPUT) /)
})

test('removing takes out what is there and nothing else', () => {
  expect(nftRemoval()).toMatchInlineSnapshot(`
    "table inet steeple
    delete table inet steeple
    "
  `)
  expect(iptablesRemoval(IPTABLES_JUMPS)).toMatchInlineSnapshot(`
    "*nat
    :STEEPLE_PREROUTING - [0:0]
    :STEEPLE_OUTPUT - [0:0]
    -D PREROUTING -p tcp -j STEEPLE_PREROUTING
    -D OUTPUT -p tcp -j STEEPLE_OUTPUT
    -X STEEPLE_PREROUTING
    -X STEEPLE_OUTPUT
    COMMIT
    "
  `)
  expect(iptablesRemoval([])).not.toContain('-D')
})

test('a proxy with a user of its own is told by that, and what comes in is not', () => {
  const owned = { ...rules, proxyUid: 1337 }
  const own = (text: string) => text.split('\n').filter((line) => line.includes('1337 '))
  expect(own(nftRules(owned)).at(-1)).toBe('    meta skuid 1337 accept')
  expect(nftRules(owned).split('chain output')[0]).not.toContain('skuid')
  expect(own(iptablesRules(4, owned))).toEqual([
    '-A STEEPLE_OUTPUT -m owner --uid-owner 1337 -j ACCEPT',
  ])
  expect(iptablesRules(4, rules)).not.toContain('owner')
})
