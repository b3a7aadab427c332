/**
 * What only administrators may call over the port, called by everybody: an administrator by entry and one of another
 * trust domain by `admin_ids` are served; workloads, agents, strangers and the anonymous are refused.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { generateKey } from '../../../spiffe/key.ts'
import { createCsr } from '../../../spiffe/x509/csr.ts'
import { testCa } from '../../fakes/ca.ts'
import { type Agent, generateToken, type Server } from '../../processes/cluster.ts'
import { until } from '../../processes/process.ts'
import { type AdminCall, adminCalls, type Material, make } from './admin-calls.ts'
import { type Cell, openAgent, openServer, register, served, succeed } from './cell.ts'
import { attestByHand, byToken } from './node-by-hand.ts'
import { connect, type Identity, identityOf, verdict } from './rpc.ts'

const FOREIGN_ADMIN = 'spiffe://other.org/admin'

export async function tell(cell: Cell): Promise<void> {
  await using server = await openServer(cell, { settings: `admin_ids = ["${FOREIGN_ADMIN}"]` })
  await using other = await openServer(cell, { trustDomain: 'other.org' })
  await introduce(server, other)
  await using agent = await openAgent(cell, server)
  await using otherAgent = await openAgent(cell, other)
  const admin = 'spiffe://example.org/admin'
  await register(server, agent.id, admin, '-admin')
  await register(server, agent.id, 'spiffe://example.org/plain')
  await register(other, otherAgent.id, FOREIGN_ADMIN)
  await register(other, otherAgent.id, 'spiffe://other.org/plain')

  const material = await gather(server, agent)
  for (const [run, identity] of [
    ['local', await identityFrom(agent, admin)],
    ['foreign', await identityFrom(otherAgent, FOREIGN_ADMIN)],
  ] as const) {
    const calls = adminCalls(material, run)
    const seen = await everyVerdict(server, calls, identity)
    expect(seen.filter(({ said, answer }) => !(answer ?? /^OK$/).test(said))).toEqual([])
  }

  const node = await attestByHand(server, byToken(await generateToken(server)))
  const plain = await identityFrom(agent, 'spiffe://example.org/plain')
  const calls = adminCalls(material, 'refused')
  for (const identity of [plain, node.identity, undefined]) {
    const seen = await everyVerdict(server, calls, identity)
    // A federated bundle is what agents are for.
    const allowed = identity === node.identity ? /\/GetFederatedBundle$/ : /^$/
    const judged = seen.filter(({ method }) => !allowed.test(method))
    const denied = ({ method }: AdminCall) =>
      `PERMISSION_DENIED: authorization denied for method /${method}`
    expect(judged.map(({ said }) => said)).toEqual(judged.map(denied))
  }
  // Of another trust domain only those of admin_ids are let in at all.
  const stranger = await identityFrom(otherAgent, 'spiffe://other.org/plain')
  const [first] = calls
  if (first === undefined) return expect.unreachable()
  expect((await everyVerdict(server, [first], stranger))[0]?.said).toMatch(/^UNAVAILABLE/)
}

/** Gives a server the bundle of another trust domain. */
async function introduce(server: Server, other: Server): Promise<void> {
  const path = join(server.dir, 'other.json')
  writeFileSync(path, await succeed(other, 'bundle', 'show', '-format', 'spiffe'))
  const id = `spiffe://${other.trustDomain}`
  await succeed(server, 'bundle', 'set', '-format', 'spiffe', '-id', id, '-path', path)
}

async function gather(server: Server, agent: Agent): Promise<Material> {
  const pathOf = (id: string) => id.slice('spiffe://example.org'.length)
  const victim = await attestByHand(server, byToken(await generateToken(server)))
  const key = await generateKey('ec-p256')
  return {
    agentPath: pathOf(agent.id),
    victimPath: pathOf(victim.id),
    root: (await testCa()).certificate,
    csr: createCsr({ key, uriSans: ['spiffe://example.org/minted'] }),
  }
}

const identityFrom = (agent: Agent, id: string): Promise<Identity> =>
  until(`${id} to be served`, async () => {
    const svid = (await served(agent)).find((it) => it.id === id)
    return svid && identityOf(svid)
  })

interface Answered extends AdminCall {
  readonly said: string
}

async function everyVerdict(
  server: Server,
  calls: readonly AdminCall[],
  identity: Identity | undefined,
): Promise<readonly Answered[]> {
  using clients = await connect(server, identity)
  const answered: Answered[] = []
  for (const it of calls) answered.push({ ...it, said: await verdict(make(it, clients[it.file])) })
  return answered
}
