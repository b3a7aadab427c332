/** Identities from a real server and real agents of either kind, for our proxies by the Workload API and for the others as PEM files. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Agent, type Kind, startAgent, startServer } from '../../test/processes/cluster.ts'
import { until } from '../../test/processes/process.ts'
import { giveIdentity } from '../../test/processes/proxy.ts'
import { CALLED, CALLER } from './rules.ts'

/** Paths of PEM files. */
export interface Pem {
  readonly certificate: string
  readonly key: string
  readonly bundle: string
}

export interface Material extends AsyncDisposable {
  readonly trustDomain: string
  /** For files of the benchmark. */
  readonly dir: string
  readonly caller: { readonly agent: Agent; readonly pem: Pem }
  readonly called: { readonly agent: Agent; readonly pem: Pem }
}

export async function openMaterial(kind: Kind): Promise<Material> {
  const stack = new AsyncDisposableStack()
  const dir = mkdtempSync(join(tmpdir(), 'steeple-bench-'))
  stack.defer(() => rmSync(dir, { recursive: true, force: true }))
  const server = stack.use(await startServer(kind))
  const workload = async (path: string, name: string) => {
    const agent = stack.use(await startAgent(kind, server))
    await giveIdentity(server, agent, path)
    return { agent, pem: await fetchPem(agent, join(dir, name)) }
  }
  const caller = await workload(CALLER, 'caller')
  const called = await workload(CALLED, 'called')
  const { trustDomain } = server
  return { trustDomain, dir, caller, called, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

async function fetchPem(agent: Agent, dir: string): Promise<Pem> {
  mkdirSync(dir)
  // SPIRE's agent hears of its entries when it asks next.
  await until('an SVID to write', async () => {
    const { code } = await agent.cli(agent.kind, 'api', 'fetch', 'x509', '-write', dir)
    return code === 0
  })
  return {
    certificate: join(dir, 'svid.0.pem'),
    key: join(dir, 'svid.0.key'),
    bundle: join(dir, 'bundle.0.pem'),
  }
}
