/** A node whose agent is the test itself: it attests, renews and asks by raw calls, well or badly. */
import { randomBytes } from 'node:crypto'
import type { AttestAgentRequestInput } from '../../../proto/gen/spire/api/server/agent/v1/AttestAgentRequest.ts'
import type { AttestAgentResponse } from '../../../proto/gen/spire/api/server/agent/v1/AttestAgentResponse.ts'
import type { RenewAgentResponse } from '../../../proto/gen/spire/api/server/agent/v1/RenewAgentResponse.ts'
import { fromStatus } from '../../../proto/status.ts'
import {
  readX509PopChallenge,
  writeX509PopAnswer,
  writeX509PopPayload,
} from '../../../proto/x509pop.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { generateKey } from '../../../spiffe/key.ts'
import { createCsr } from '../../../spiffe/x509/csr.ts'
import { toPemChain } from '../../../spiffe/x509/pem.ts'
import { NONCE_BYTES, provePossession } from '../../../spiffe/x509/possession.ts'
import type { Server } from '../../processes/cluster.ts'
import type { Machine } from './machines.ts'
import { call, connect, type Identity } from './rpc.ts'

export interface Proof {
  readonly type: string
  readonly payload: Uint8Array
  /** What it says to the server's challenge. */
  answer?(challenge: Uint8Array): Uint8Array
}

export const byToken = (token: string): Proof => ({
  type: 'join_token',
  payload: Buffer.from(token),
})

/** @param key the machine's own, unless the machine lies */
export const byCertificate = ({ chain, key: own }: Machine, key = own): Proof => ({
  type: 'x509pop',
  payload: writeX509PopPayload(chain),
  answer: (challenge) => {
    const { nonce } = readX509PopChallenge(challenge)
    return writeX509PopAnswer(provePossession(key, nonce, randomBytes(NONCE_BYTES)))
  },
})

export interface Node {
  readonly id: string
  readonly identity: Identity
  readonly reattestable: boolean
}

const newKey = async () => {
  const key = await generateKey('ec-p256')
  return { key, pem: key.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

const pemOf = (chain: readonly Uint8Array[]) => toPemChain(chain)

/** @param csr instead of a good one. @throws ServiceError */
export async function attestByHand(server: Server, proof: Proof, csr?: Buffer): Promise<Node> {
  const { key, pem } = await newKey()
  using clients = await connect(server)
  const stream = clients.agent.AttestAgent()
  const say = (message: AttestAgentRequestInput) => stream.write(message)
  const { type, payload } = proof
  say({ params: { data: { type, payload }, params: { csr: csr ?? createCsr({ key }) } } })
  // Cast: grpc-js types its streams as streams of anything.
  for await (const { result, challenge } of stream as AsyncIterable<AttestAgentResponse>) {
    if (challenge && proof.answer) say({ challenge_response: proof.answer(challenge) })
    if (!result?.svid) continue
    stream.end()
    const { id, cert_chain: chain } = result.svid
    return {
      id: `spiffe://${id?.trust_domain}${id?.path}`,
      identity: { chain: pemOf(chain), key: pem },
      reattestable: result.reattestable,
    }
  }
  throw new Error('the server ended the attestation without a result')
}

/** @throws ServiceError */
export async function renewByHand(server: Server, { identity }: Node): Promise<Identity> {
  const { key, pem } = await newKey()
  using clients = await connect(server, identity)
  const csr = createCsr({ key })
  const renewed = await call<RenewAgentResponse>((done) =>
    clients.agent.RenewAgent({ params: { csr } }, done),
  )
  return { chain: pemOf(renewed.svid?.cert_chain ?? []), key: pem }
}

/** What the server makes of whoever asks what every agent asks: `OK`, or the reason that agents act on. */
export async function standing(server: Server, identity: Identity): Promise<string> {
  using clients = await connect(server, identity)
  try {
    await call((done) => clients.entry.GetAuthorizedEntries({}, done))
    return 'OK'
  } catch (error) {
    const refusal = fromStatus(error)
    return refusal instanceof IdentityError ? refusal.code : String(error)
  }
}
