/**
 * The network of a run: `base` has the database, the agents and the run itself; each server is a machine of its own.
 * What is between a server and the others can be cut, in both directions or in one, and mended. Needs root.
 */
import { spawnSync } from 'node:child_process'
import { isInstalled, run } from '../processes/process.ts'

export const SERVER_NAMES = ['s1', 's2', 's3'] as const
export type ServerName = (typeof SERVER_NAMES)[number]
export const BASE = 'base'
export const PODS = [BASE, ...SERVER_NAMES] as const

export const SERVER_PORT = 8081
export const DATABASE_PORT = 5432

/** Whom a server cannot talk to. `unheard`: what agents say does not arrive, while what it says does. */
export type Cut = 'database' | 'agents' | 'everybody' | 'unheard'

const PROGRAMS = ['ip', 'nft', 'unshare', 'setpriv']
const missing = PROGRAMS.filter((one) => !isInstalled(one))

/** Why there can be no namespaces here; undefined: there can be. */
export const lackingNamespaces =
  missing.length > 0
    ? `needs ${missing.join(', ')}: apt-get install iproute2 nftables util-linux`
    : spawnSync('unshare', ['--net', 'true']).status === 0
      ? undefined
      : 'needs root'

const AGENTS_IN = `tcp dport ${SERVER_PORT}`
const AGENTS_OUT = `tcp sport ${SERVER_PORT}`
const RULES: Record<Cut, { readonly into: string; readonly out: string | undefined }> = {
  database: { into: `tcp sport ${DATABASE_PORT}`, out: `tcp dport ${DATABASE_PORT}` },
  agents: { into: AGENTS_IN, out: AGENTS_OUT },
  everybody: { into: 'iifname eth0', out: 'oifname eth0' },
  unheard: { into: AGENTS_IN, out: undefined },
}

/** Drops without a word, as a broken switch does. @param netns of the server */
export async function cut(netns: string, from: Cut): Promise<void> {
  const { into, out } = RULES[from]
  const chain = (name: string, hook: string, rule: string) =>
    `chain ${name} { type filter hook ${hook} priority 0; ${rule} drop; }`
  const chains = [chain('into', 'input', into), ...(out ? [chain('out', 'output', out)] : [])]
  await nft(netns, `table ip chaos {\n${chains.join('\n')}\n}`)
}

export async function mend(netns: string): Promise<void> {
  await nft(netns, 'delete table ip chaos')
}

async function nft(netns: string, text: string): Promise<void> {
  const { code, stderr } = await run('ip', ['netns', 'exec', netns, 'nft', '-f', '-'], {
    input: `${text}\n`,
  })
  if (code !== 0) throw new Error(`nft ${text}: ${stderr}`)
}
