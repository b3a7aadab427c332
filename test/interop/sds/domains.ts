/** Two trust domains of ours that know each other's bundle as an operator tells them, and rotate when they are told to. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Agent, type Server, startAgent, startServer } from '../../processes/cluster.ts'
import { succeed } from './pair.ts'

export interface Domain {
  readonly server: Server
  readonly agent: Agent
}

export interface Domains extends AsyncDisposable {
  readonly example: Domain
  readonly partner: Domain
  /** New authorities in both: known everywhere before the first SVID is signed by one. */
  rotateAuthorities(): Promise<void>
}

export async function startDomains(): Promise<Domains> {
  const [example, partner] = [await startDomain('example.org'), await startDomain('partner.org')]
  const exchange = async () => {
    await tell(example.server, partner.server)
    await tell(partner.server, example.server)
  }
  await exchange()
  return {
    ...{ example, partner },
    async rotateAuthorities() {
      const servers = [example.server, partner.server]
      const prepare = ['localauthority', 'x509', 'prepare']
      const prepared = await Promise.all(servers.map((one) => succeed(one, ...prepare)))
      await exchange()
      for (const [at, server] of servers.entries()) {
        const [, id = ''] = /Authority ID: (\S+)/.exec(prepared[at] ?? '') ?? []
        await succeed(server, 'localauthority', 'x509', 'activate', '-authorityID', id)
      }
    },
    async [Symbol.asyncDispose]() {
      for (const { agent, server } of [example, partner]) {
        await agent[Symbol.asyncDispose]()
        await server[Symbol.asyncDispose]()
      }
    },
  }
}

export async function startDomain(trustDomain: string): Promise<Domain> {
  const server = await startServer('steeple', { trustDomain })
  return { server, agent: await startAgent('steeple', server) }
}

/** Tells `server` what the bundle of `other` is now. */
async function tell(server: Server, other: Server): Promise<void> {
  const path = join(server.dir, 'other.json')
  writeFileSync(path, await succeed(other, 'bundle', 'show', '-format', 'spiffe'))
  const id = `spiffe://${other.trustDomain}`
  await succeed(server, 'bundle', 'set', '-format', 'spiffe', '-id', id, '-path', path)
}
