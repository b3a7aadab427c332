/** Our proxies, configured as a user would. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Agent, steeple } from '../../test/processes/cluster.ts'
import { freePort } from '../../test/processes/free-port.ts'
import { type Running, start } from '../../test/processes/process.ts'
import type { Material } from './material.ts'
import { asPair, type Pair, type PairOptions } from './pair.ts'
import { CALLED, connectionPolicyTexts, policyTexts } from './rules.ts'

let made = 0

export async function startSteeple(
  material: Material,
  { mode, rules, backendPort }: PairOptions,
): Promise<Pair> {
  const { trustDomain, caller, called } = material
  const dir = join(material.dir, `steeple-${++made}`)
  const policies = join(dir, 'policies')
  mkdirSync(policies, { recursive: true })
  const texts =
    mode === 'http' ? policyTexts(trustDomain, rules) : connectionPolicyTexts(trustDomain)
  for (const [at, text] of texts.entries()) writeFileSync(join(policies, `${at}.yaml`), text)
  const [inner, outer] = [await freePort(), await freePort()]
  const stack = new AsyncDisposableStack()
  const run = async (name: string, agent: Agent, settings: string): Promise<Running> => {
    const path = join(dir, `${name}.conf`)
    const common = `workload_api_socket = "${agent.socket}"\n  log_level = "WARN"`
    writeFileSync(path, `proxy {\n  ${common}\n  log_format = "json"\n${settings}\n}\n`)
    return stack.use(start(steeple, ['proxy', 'run', '-config', path]))
  }
  const protocol = mode === 'http' ? 'http' : 'tcp'
  const upstream = `127.0.0.1:${backendPort}`
  const inbound =
    mode === 'hbone'
      ? `hbone { listen = "127.0.0.1:${inner}"  upstream_host = "127.0.0.1" }
  workload { tcp_ports = [${backendPort}] }`
      : `inbound "in" { listen = "127.0.0.1:${inner}"  upstream = "${upstream}"
    protocol = "${protocol}"  mtls = "strict"  workload_port = ${backendPort} }`
  const transport =
    mode === 'hbone' ? `transport = "hbone"  hbone_address = "127.0.0.1:${inner}"` : ''
  const outbound = `outbound "out" { listen = "127.0.0.1:${outer}"  protocol = "${protocol}"  ${transport}
    upstream = "${mode === 'hbone' ? upstream : `127.0.0.1:${inner}`}"
    authorize = ["spiffe://${trustDomain}${CALLED}"] }`
  const server = await run('called', called.agent, `policy_dir = "${policies}"\n  ${inbound}`)
  const client = await run('caller', caller.agent, outbound)
  return await asPair('steeple', [outer, inner], [client, server], stack)
}
