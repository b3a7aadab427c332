/** `steeple proxy rules`: what brings a workload's connections to its proxy, printed, applied or removed. */
import {
  applyRules,
  type Firewall,
  installedFirewalls,
  removeRules,
} from '../../proxy/capture/apply-rules.ts'
import { iptablesRules, nftRules, type RedirectionRules } from '../../proxy/capture/rules.ts'
import { HBONE_PORT, SOCKET_MARK } from '../../proxy/config/mesh-transport.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { defineCommand } from '../command.ts'
import type { FlagValues } from '../flag/flag.ts'
import { boolean, choice, commaList, integer, path, text } from '../flag/kinds.ts'

const flags = {
  apply: boolean('put the rules into the network namespace instead of printing them'),
  excludeInboundPorts: commaList('TCP ports of the workload that are reached without the proxy'),
  firewall: choice('program to use, else nft where it is installed', ['nft', 'iptables']),
  hbonePort: integer('port that takes tunnels', HBONE_PORT),
  inboundPort: integer('port that takes captured connections to the workload', 15_006),
  netns: path('network namespace, such as /run/netns/web; else the own one'),
  outboundPort: integer('port that takes captured connections of the workload', 15_001),
  proxyUID: text('user that the proxy runs as, else it is told by the mark on its sockets'),
  remove: boolean('take the rules out of the network namespace'),
}

const MAX_PORT = 65_535
const MAX_UID = 4_294_967_294

export const rules = defineCommand({
  summary: 'Print, apply or remove the rules that bring connections to the proxy',
  examples: [
    'proxy rules',
    'proxy rules -firewall iptables',
    'proxy rules -apply -netns /run/netns/web',
    'proxy rules -remove -netns /run/netns/web',
  ],
  flags,
  async run(values, { terminal }) {
    const { apply, remove } = values
    const redirection = redirectionOf(values)
    const wanted = firewallOf(values.firewall)
    const netns = values.netns === '' ? undefined : values.netns
    if (apply === true && remove === true) {
      throw new IdentityError('REQUEST_INVALID', '-apply and -remove exclude each other')
    }
    if (apply === true) {
      const [firewall] = await usable(wanted)
      if (firewall !== undefined) await applyRules(firewall, netns, redirection)
      terminal.print(`Rules of redirection are in place (${firewall}).\n`)
      return 0
    }
    if (remove === true) {
      for (const firewall of await usable(wanted)) await removeRules(firewall, netns)
      terminal.print('Rules of redirection are removed.\n')
      return 0
    }
    terminal.print(textOf(wanted ?? 'nft', redirection))
    return 0
  },
})

function textOf(firewall: Firewall, redirection: RedirectionRules): string {
  if (firewall === 'nft') return `# for nft -f -\n${nftRules(redirection)}`
  const families = [
    ['iptables', 4],
    ['ip6tables', 6],
  ] as const
  return families
    .map(
      ([name, family]) => `# for ${name}-restore --noflush\n${iptablesRules(family, redirection)}`,
    )
    .join('')
}

/** @throws IdentityError UNAVAILABLE when there is none */
async function usable(wanted: Firewall | undefined): Promise<readonly Firewall[]> {
  if (wanted !== undefined) return [wanted]
  const installed = await installedFirewalls()
  if (installed.length > 0) return installed
  throw new IdentityError(
    'UNAVAILABLE',
    'neither nft nor iptables is installed; install one of them',
  )
}

/** @throws IdentityError REQUEST_INVALID */
function firewallOf(text: string): Firewall | undefined {
  if (text === '') return undefined
  if (text === 'nft' || text === 'iptables') return text
  const seen = `-firewall is ${JSON.stringify(text)}`
  throw new IdentityError('REQUEST_INVALID', `${seen}, expected nft or iptables`)
}

/** @throws IdentityError REQUEST_INVALID */
function redirectionOf(values: FlagValues<typeof flags>): RedirectionRules {
  const { inboundPort, outboundPort, hbonePort, excludeInboundPorts } = values
  const own = { inboundPort, outboundPort, hbonePort }
  for (const [name, port] of Object.entries(own)) checkPort(name, String(port))
  if (new Set(Object.values(own)).size < 3) {
    const why = '-inboundPort, -outboundPort and -hbonePort are not three ports'
    throw new IdentityError('REQUEST_INVALID', `${why}; give each another one`)
  }
  for (const port of excludeInboundPorts) checkPort('excludeInboundPorts', port)
  const excludedInboundPorts = excludeInboundPorts.map(Number)
  const proxyUid = uidOf(values.proxyUID)
  return { ...own, mark: SOCKET_MARK, proxyUid, excludedInboundPorts }
}

/** Root is refused: what else runs as root in a pod would pass by the proxy. @throws IdentityError REQUEST_INVALID */
function uidOf(text: string): number | undefined {
  if (text === '') return undefined
  if (/^[1-9]\d{0,9}$/.test(text) && Number(text) <= MAX_UID) return Number(text)
  const seen = `-proxyUID is ${JSON.stringify(text)}`
  throw new IdentityError('REQUEST_INVALID', `${seen}, expected a user from 1 to ${MAX_UID}`)
}

function checkPort(flag: string, text: string): void {
  if (/^[1-9]\d{0,4}$/.test(text) && Number(text) <= MAX_PORT) return
  const seen = `-${flag} has ${JSON.stringify(text)}`
  throw new IdentityError('REQUEST_INVALID', `${seen}, expected a port from 1 to ${MAX_PORT}`)
}
