/**
 * Puts the rules of redirection into a network namespace, and takes them out again, by the programs that the machine has:
 * `nft`, else `iptables` with its twin for IPv6. Doing either twice is as good as once.
 */
import { execFile } from 'node:child_process'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import {
  IPTABLES_JUMPS,
  iptablesRemoval,
  iptablesRules,
  nftRemoval,
  nftRules,
  type RedirectionRules,
} from './rules.ts'

export type Firewall = 'nft' | 'iptables'

/** Where the rules belong: undefined for our own namespace, else a file such as /run/netns/web or /proc/7/ns/net. */
export type Netns = string | undefined

/** How long one program may take. */
const TIMEOUT_MS = 20_000

/** @returns what the machine has, the better one first; empty when it has neither */
export async function installedFirewalls(): Promise<readonly Firewall[]> {
  const [nft, iptables] = await Promise.all([
    run(undefined, ['nft', '--version']),
    run(undefined, ['iptables', '--version']),
  ])
  return [
    ...(nft.isDone ? (['nft'] as const) : []),
    ...(iptables.isDone ? (['iptables'] as const) : []),
  ]
}

/** @throws IdentityError UNAVAILABLE with what the program said */
export async function applyRules(
  firewall: Firewall,
  netns: Netns,
  rules: RedirectionRules,
): Promise<void> {
  if (firewall === 'nft') {
    await must(netns, ['nft', '-f', '-'], nftRules(rules))
    return
  }
  for (const [program, family] of IPTABLES) {
    // A jump that is there stays there, so that nothing passes by while the rules change.
    const present = await presentJumps(netns, program)
    const missing = IPTABLES_JUMPS.filter((jump) => !present.includes(jump))
    await must(netns, [`${program}-restore`, '--noflush'], iptablesRules(family, rules, missing))
  }
}

/** @throws IdentityError UNAVAILABLE with what the program said */
export async function removeRules(firewall: Firewall, netns: Netns): Promise<void> {
  if (firewall === 'nft') {
    await must(netns, ['nft', '-f', '-'], nftRemoval())
    return
  }
  for (const [program] of IPTABLES) {
    const present = await presentJumps(netns, program)
    await must(netns, [`${program}-restore`, '--noflush'], iptablesRemoval(present))
  }
}

const IPTABLES = [
  ['iptables', 4],
  ['ip6tables', 6],
] as const

async function presentJumps(netns: Netns, program: string): Promise<typeof IPTABLES_JUMPS> {
  const present: (typeof IPTABLES_JUMPS)[number][] = []
  for (const jump of IPTABLES_JUMPS) {
    const [chain, ours] = jump
    const check = [program, '-t', 'nat', '-C', chain, '-p', 'tcp', '-j', ours]
    if ((await run(netns, check)).isDone) present.push(jump)
  }
  return present
}

async function must(netns: Netns, words: readonly string[], input: string): Promise<void> {
  const { isDone, said } = await run(netns, words, input)
  if (isDone) return
  const where = netns === undefined ? '' : ` in ${netns}`
  const [program = ''] = words
  throw new IdentityError(
    'UNAVAILABLE',
    `${program} failed${where}: ${said}; it needs root or CAP_NET_ADMIN in that network namespace`,
  )
}

interface Ran {
  readonly isDone: boolean
  /** On one line. */
  readonly said: string
}

function run(netns: Netns, words: readonly string[], input = ''): Promise<Ran> {
  const [program = '', ...rest] =
    netns === undefined ? words : ['nsenter', `--net=${netns}`, '--', ...words]
  const { promise, resolve } = Promise.withResolvers<Ran>()
  const child = execFile(program, rest, { timeout: TIMEOUT_MS }, (error, _stdout, stderr) => {
    const said = stderr.trim().split('\n').join(' ') || (error === null ? '' : reasonOf(error))
    resolve({ isDone: error === null, said })
  })
  child.stdin?.on('error', () => {}) // a program that does not read says so by its exit
  child.stdin?.end(input)
  return promise
}
