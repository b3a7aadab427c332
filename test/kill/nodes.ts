/**
 * Join tokens that are made and spent, and the nodes that were attested by them. A token that was given out is good for
 * exactly one node; a node that has its SVID is known under that serial number, and let in.
 */
import { X509Certificate } from 'node:crypto'
import type { AttestAgentRequestInput } from '../../proto/gen/spire/api/server/agent/v1/AttestAgentRequest.ts'
import type { AttestAgentResponse } from '../../proto/gen/spire/api/server/agent/v1/AttestAgentResponse.ts'
import type { ListAgentsResponse } from '../../proto/gen/spire/api/server/agent/v1/ListAgentsResponse.ts'
import type { JoinToken } from '../../proto/gen/spire/api/types/JoinToken.ts'
import { generateKey } from '../../spiffe/key.ts'
import { createCsr } from '../../spiffe/x509/csr.ts'
import { toPemChain } from '../../spiffe/x509/pem.ts'
import { readBundle } from './authorities.ts'
import {
  type Admin,
  ask,
  call,
  connectNode,
  deadline,
  type HeldSvid,
  type Outcome,
  outcomeOf,
} from './clients.ts'
import { ANY_CONTENT, createRecord } from './record.ts'
import type { Up, WriteStream } from './stream.ts'

const TOKEN_TTL_SECONDS = 3_600
/** Tokens that wait to be spent. */
const MAX_UNSPENT = 4
const PATH = '/spire/agent/join_token/'

interface Node {
  readonly token: string
  readonly serial: string
  readonly held: HeldSvid
}

/** @throws ServiceError */
async function attest(port: number, admin: Admin, token: string): Promise<Node> {
  const key = await generateKey('ec-p256')
  using node = connectNode(port, await readBundle(admin))
  const stream = node.agent.AttestAgent(deadline())
  const request: AttestAgentRequestInput = {
    params: {
      data: { type: 'join_token', payload: Buffer.from(token) },
      params: { csr: createCsr({ key }) },
    },
  }
  stream.write(request)
  // Cast: grpc-js types its streams as streams of anything.
  for await (const { result } of stream as AsyncIterable<AttestAgentResponse>) {
    if (!result?.svid) continue
    stream.end()
    const [leaf, ...rest] = result.svid.cert_chain
    if (leaf === undefined) break
    const chain = toPemChain([leaf, ...rest])
    const serial = BigInt(`0x${new X509Certificate(leaf).serialNumber}`).toString()
    const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString()
    return { token, serial, held: { chain, key: pem } }
  }
  throw new Error('the server ended the attestation without a result')
}

/** @param agentToken of the real agent, whose SVID is its own affair */
export function nodeStream(port: number, agentToken: string): WriteStream {
  const record = createRecord('node')
  const unspent: string[] = []
  let tokens = 0
  let newest: Node | undefined
  /** Spent by an acknowledged attestation. */
  let spent: string | undefined

  const makeToken = async ({ admin, fault }: Up) => {
    const outcome = await ask<JoinToken>((done) =>
      admin.agent.CreateJoinToken({ ttl: TOKEN_TTL_SECONDS }, deadline(), done),
    )
    if (outcome.kind === 'unanswered') return false
    if (outcome.kind === 'refused') fault(`a join token was refused: ${outcome.why}`)
    else {
      unspent.push(outcome.reply.value)
      tokens += 1
    }
    return true
  }
  const spend = async (token: string, { admin, fault }: Up) => {
    const attempt = record.attempt(token, ANY_CONTENT)
    const outcome = await outcomeOf(attest(port, admin, token))
    if (outcome.kind === 'unanswered') return false
    if (outcome.kind === 'refused') {
      attempt.refuse()
      fault(`join token ${tokens} was given out and is not taken: ${outcome.why}`)
      return true
    }
    attempt.acknowledge(outcome.reply.serial)
    newest = outcome.reply
    spent = token
    return true
  }
  const admits = async ({ held }: Node, admin: Admin): Promise<Outcome<unknown>> => {
    using node = connectNode(port, await readBundle(admin), held)
    return await ask((done) => node.entry.GetAuthorizedEntries({}, deadline(), done))
  }
  return {
    async step(up) {
      if (unspent.length === 0 || (unspent.length < MAX_UNSPENT && up.random() < 0.5)) {
        return await makeToken(up)
      }
      return await spend(unspent.shift() ?? '', up)
    },
    async check({ admin }) {
      const { agents } = await call<ListAgentsResponse>((done) =>
        admin.agent.ListAgents({}, deadline(), done),
      )
      const serials = agents.flatMap(({ id, x509svid_serial_number: serial }) =>
        id?.path.startsWith(PATH) ? [[id.path.slice(PATH.length), serial] as const] : [],
      )
      const own = serials.filter(([token]) => token !== agentToken)
      const faults = [...record.judge(new Map(own))]
      if (newest !== undefined) {
        const outcome = await admits(newest, admin)
        if (outcome.kind !== 'acknowledged') {
          faults.push(`the newest node is not let in: ${JSON.stringify(outcome)}`)
        }
      }
      if (spent !== undefined) {
        const again = await outcomeOf(attest(port, admin, spent))
        if (again.kind !== 'refused') {
          faults.push(
            `a spent join token is ${again.kind === 'unanswered' ? 'not answered' : 'taken again'}`,
          )
        }
      }
      newest = undefined
      spent = undefined
      return faults
    },
    counts: () => ({
      acknowledged: record.acknowledged + tokens,
      unanswered: record.unanswered,
    }),
  }
}
