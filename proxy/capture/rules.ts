/**
 * The rules of the kernel's firewall that bring a workload's connections to its proxy, as texts for `nft` and for
 * `iptables-restore`. Pure; the same rules in both, for IPv4 and IPv6:
 *
 * - what comes in for any TCP port goes to the inbound port, but for tunnels, which have a port of their own, and for probes of
 *   the node's kubelet;
 * - what the workload opens goes to the outbound port, but for what stays on its own machine;
 * - what the proxy itself opens carries a mark, or is its user's, and is left alone.
 *
 * @see Istio ambient — redirection inside the pod
 */

export interface RedirectionRules {
  readonly inboundPort: number
  readonly outboundPort: number
  readonly hbonePort: number
  readonly mark: number
  /** The proxy's user, where it runs as one of its own and may not mark sockets; undefined: the mark alone tells. */
  readonly proxyUid: number | undefined
  /** TCP ports of the workload that are reached without the proxy. */
  readonly excludedInboundPorts: readonly number[]
}

/** Bits of a mark that are ours; others may use the rest. */
const MARK_MASK = 0xfff
/** Where probes come from, by agreement with the node's agent. */
const PROBES_IPV4 = '169.254.7.127'
const PROBES_IPV6 = 'fd16:9254:7127:1337:ffff:ffff:ffff:ffff'

const TABLE = 'steeple'

const hex = (number: number): string => `0x${number.toString(16)}`

/** For `nft -f -`: replaces the rules that are there, as one change. */
export function nftRules(rules: RedirectionRules): string {
  const { inboundPort, outboundPort, mark, proxyUid } = rules
  const own = proxyUid === undefined ? '' : `    meta skuid ${proxyUid} accept\n`
  const ports = untouchedPorts(rules).join(', ')
  return `${nftRemoval()}table inet ${TABLE} {
  chain prerouting {
    type nat hook prerouting priority -100; policy accept;
    ip saddr ${PROBES_IPV4} accept
    ip6 saddr ${PROBES_IPV6} accept
    iifname "lo" accept
    tcp dport { ${ports} } accept
    meta mark & ${hex(MARK_MASK)} == ${hex(mark)} accept
    meta l4proto tcp redirect to :${inboundPort}
  }
  chain output {
    type nat hook output priority -100; policy accept;
    ip daddr ${PROBES_IPV4} accept
    ip6 daddr ${PROBES_IPV6} accept
    oifname "lo" accept
    meta mark & ${hex(MARK_MASK)} == ${hex(mark)} accept
${own}    meta l4proto tcp redirect to :${outboundPort}
  }
}
`
}

/** For `nft -f -`; good also when there are none. */
export function nftRemoval(): string {
  return `table inet ${TABLE}\ndelete table inet ${TABLE}\n`
}

const PREROUTING = 'STEEPLE_PREROUTING'
const OUTPUT = 'STEEPLE_OUTPUT'

/** The rules that lead to ours. */
export const IPTABLES_JUMPS: readonly (readonly [chain: string, ours: string])[] = [
  ['PREROUTING', PREROUTING],
  ['OUTPUT', OUTPUT],
]

/** For `iptables-restore --noflush` and `ip6tables-restore --noflush`; replaces our rules as one change. */
export function iptablesRules(
  family: 4 | 6,
  rules: RedirectionRules,
  jumps: typeof IPTABLES_JUMPS = IPTABLES_JUMPS,
): string {
  const { inboundPort, outboundPort, mark, proxyUid } = rules
  const probes = family === 4 ? `${PROBES_IPV4}/32` : `${PROBES_IPV6}/128`
  const marked = `-m mark --mark ${hex(mark)}/${hex(MARK_MASK)}`
  return [
    '*nat',
    `:${PREROUTING} - [0:0]`,
    `:${OUTPUT} - [0:0]`,
    ...jumps.map(([chain, ours]) => `-A ${chain} -p tcp -j ${ours}`),
    `-A ${PREROUTING} -s ${probes} -j ACCEPT`,
    `-A ${PREROUTING} -i lo -j ACCEPT`,
    ...untouchedPorts(rules).map((port) => `-A ${PREROUTING} -p tcp --dport ${port} -j ACCEPT`),
    `-A ${PREROUTING} ${marked} -j ACCEPT`,
    `-A ${PREROUTING} -p tcp -j REDIRECT --to-ports ${inboundPort}`,
    `-A ${OUTPUT} -d ${probes} -j ACCEPT`,
    `-A ${OUTPUT} -o lo -j ACCEPT`,
    `-A ${OUTPUT} ${marked} -j ACCEPT`,
    ...(proxyUid === undefined ? [] : [`-A ${OUTPUT} -m owner --uid-owner ${proxyUid} -j ACCEPT`]),
    `-A ${OUTPUT} -p tcp -j REDIRECT --to-ports ${outboundPort}`,
    'COMMIT',
    '',
  ].join('\n')
}

/** For `iptables-restore --noflush`. @param jumps those that are there */
export function iptablesRemoval(jumps: typeof IPTABLES_JUMPS): string {
  return [
    '*nat',
    `:${PREROUTING} - [0:0]`,
    `:${OUTPUT} - [0:0]`,
    ...jumps.map(([chain, ours]) => `-D ${chain} -p tcp -j ${ours}`),
    `-X ${PREROUTING}`,
    `-X ${OUTPUT}`,
    'COMMIT',
    '',
  ].join('\n')
}

/** In their order, each once. */
function untouchedPorts({ hbonePort, excludedInboundPorts }: RedirectionRules): readonly number[] {
  return [...new Set([hbonePort, ...excludedInboundPorts])]
}
