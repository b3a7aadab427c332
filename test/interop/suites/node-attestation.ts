/**
 * The life of a node at the server, call by call: attestation, renewal, ban and eviction, and the refusal of whatever
 * proves nothing. Then the same for real agents with certificates of each kind of key, or with an SVID to exchange.
 */
import { expect } from 'vitest'
import { generateKey } from '../../../spiffe/key.ts'
import { generateToken, type Server } from '../../processes/cluster.ts'
import { until } from '../../processes/process.ts'
import {
  type Cell,
  isServed,
  launch,
  listed,
  openAgent,
  openServer,
  register,
  succeed,
} from './cell.ts'
import { type Company, foundCompany } from './machines.ts'
import { attestByHand, byCertificate, byToken, renewByHand, standing } from './node-by-hand.ts'
import { verdict } from './rpc.ts'

const KEY_TYPES = ['ec-p256', 'ec-p384', 'rsa-2048'] as const

export async function tell(cell: Cell): Promise<void> {
  using company = await foundCompany()
  await using server = await openServer(cell, {
    nodeAttestor: `NodeAttestor "join_token" { plugin_data {} }\n${company.block}`,
  })
  await refuseWhatProvesNothing(server, company)
  await liveByToken(server)
  await liveByCertificate(server, company)
  await attestAgents(cell, server, company)
  await exchange(cell)
}

async function refuseWhatProvesNothing(server: Server, company: Company): Promise<void> {
  const machine = await company.machine('prod')
  using strangers = await foundCompany()
  const stranger = await strangers.machine('prod')
  const token = await generateToken(server)
  const nonsense = Buffer.from('nonsense')
  const attempts = [
    [byToken('made-up'), /INVALID_ARGUMENT.*join token does not exist or has already been used/],
    [{ type: 'nobody', payload: nonsense }, /FAILED_PRECONDITION.*could not find node attestor/],
    [{ type: '', payload: nonsense }, /INVALID_ARGUMENT.*missing attestation data type/],
    [{ type: 'x509pop', payload: nonsense }, /INVALID_ARGUMENT/],
    [byCertificate(stranger), /PERMISSION_DENIED.*certificate verification failed/],
    [byCertificate(machine, await generateKey('ec-p256')), /challenge|signature/],
    [
      { type: 'x509pop', payload: byCertificate(machine).payload, answer: () => nonsense },
      /INVALID_ARGUMENT/,
    ],
  ] as const
  for (const [proof, expected] of attempts) {
    expect(await verdict(attestByHand(server, proof))).toMatch(expected)
  }
  const badCsr = attestByHand(server, byToken(token), nonsense)
  expect(await verdict(badCsr)).toMatch(/INVALID_ARGUMENT/)
  expect(await listed(server, machine.id)).toBeUndefined()
}

async function liveByToken(server: Server): Promise<void> {
  const token = await generateToken(server)
  const node = await attestByHand(server, byToken(token))
  expect(node).toMatchObject({
    id: `spiffe://example.org/spire/agent/join_token/${token}`,
    reattestable: false,
  })
  expect(await verdict(attestByHand(server, byToken(token)))).toMatch(/already been used/)
  expect(await standing(server, node.identity)).toBe('OK')

  // The SVID before it is good until the new one is used for the first time.
  const renewed = await renewByHand(server, node)
  expect(await standing(server, node.identity)).toBe('OK')
  expect(await standing(server, renewed)).toBe('OK')
  expect(await standing(server, node.identity)).toBe('AGENT_NOT_ACTIVE')

  await succeed(server, 'agent', 'ban', '-spiffeID', node.id)
  expect(await standing(server, renewed)).toBe('AGENT_BANNED')
  expect(await verdict(renewByHand(server, { ...node, identity: renewed }))).toMatch(
    /PERMISSION_DENIED/,
  )
  await succeed(server, 'agent', 'evict', '-spiffeID', node.id)
  expect(await standing(server, renewed)).toBe('AGENT_NOT_ATTESTED')
  expect(await listed(server, node.id)).toBeUndefined()
}

async function liveByCertificate(server: Server, company: Company): Promise<void> {
  const machine = await company.machine('prod')
  const node = await attestByHand(server, byCertificate(machine))
  expect(node).toMatchObject({ id: machine.id, reattestable: true })
  expect(await verdict(renewByHand(server, node))).toMatch(/PERMISSION_DENIED.*attest/)
  const again = await attestByHand(server, byCertificate(machine))
  expect(again.id).toBe(machine.id)
  expect(await standing(server, again.identity)).toBe('OK')
  expect(await standing(server, node.identity)).toBe('AGENT_NOT_ACTIVE')
  await succeed(server, 'agent', 'ban', '-spiffeID', node.id)
  expect(await verdict(attestByHand(server, byCertificate(machine)))).toMatch(/agent is banned/)
  await succeed(server, 'agent', 'evict', '-spiffeID', node.id)
  expect(await verdict(attestByHand(server, byCertificate(machine)))).toBe('OK')
}

async function attestAgents(cell: Cell, server: Server, company: Company): Promise<void> {
  for (const keyType of KEY_TYPES) {
    const machine = await company.machine(keyType, keyType)
    await using agent = await openAgent(cell, server, { nodeAttestor: machine })
    const node = await listed(server, machine.id)
    expect(node).toMatchObject({ attestation_type: 'x509pop', can_reattest: true })
    expect(node?.selectors.map(({ type, value }) => `${type}:${value}`).sort()).toEqual(
      [
        'x509pop:subject:cn:node one',
        `x509pop:san:env:${keyType}`,
        `x509pop:serialnumber:${machine.serial}`,
        ...company.fingerprints.map((fingerprint) => `x509pop:ca:fingerprint:${fingerprint}`),
      ].sort(),
    )
    const id = `spiffe://example.org/on/${keyType}`
    await register(server, agent.id, id)
    await until('the workload to be served', () => isServed(agent, id))
  }
  using strangers = await foundCompany()
  const nodeAttestor = await strangers.machine('prod')
  await using refused = await launch(cell, server, { nodeAttestor })
  await refused.process().line(/certificate verification failed/)
}

/** An SVID that the server minted itself is good for becoming an agent, with `mode = "spiffe"`. */
async function exchange(cell: Cell): Promise<void> {
  await using server = await openServer(cell, {
    nodeAttestor: 'NodeAttestor "x509pop" { plugin_data { mode = "spiffe" } }',
  })
  const minted = 'spiffe://example.org/spire-exchange/hall/7'
  await succeed(server, 'x509', 'mint', '-spiffeID', minted, '-write', server.dir)
  const nodeAttestor = {
    block: `NodeAttestor "x509pop" { plugin_data {
      certificate_path = "${server.dir}/svid.pem" private_key_path = "${server.dir}/key.pem"
    } }`,
    id: 'spiffe://example.org/spire/agent/x509pop/hall/7',
  }
  await using agent = await openAgent(cell, server, { nodeAttestor })
  const node = await listed(server, agent.id)
  expect(node?.can_reattest).toBe(true)
  expect(node?.selectors.map(({ value }) => value.replace(/[^:]*$/, '')).sort()).toEqual([
    'ca:fingerprint:',
    'serialnumber:',
  ])
}
