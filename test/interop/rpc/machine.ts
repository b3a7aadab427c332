/** A machine that proves its certificate to the server, well or badly, and the block that lets servers judge it. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  readX509PopChallenge,
  writeX509PopAnswer,
  writeX509PopPayload,
} from '../../../proto/x509pop.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import { toPem } from '../../../spiffe/x509/pem.ts'
import { NONCE_BYTES, provePossession } from '../../../spiffe/x509/possession.ts'
import { testCa } from '../../fakes/ca.ts'
import { csr, otherKey } from './material.ts'
import type { Message } from './methods.ts'
import type { Step } from './story.ts'
import type { Request, Respond } from './wire-call.ts'

const HOUR_MS = 3_600_000
const now = systemClock.now().getTime()
export const VALIDITY = {
  notBefore: new Date(now - HOUR_MS),
  notAfter: new Date(now + HOUR_MS),
}

const ca = await testCa({ ...VALIDITY, uriSans: [] })
const machine = await ca.leaf('', { ...VALIDITY, subject: 'CN=node one', uriSans: [] })
const stranger = await (await testCa({ ...VALIDITY, uriSans: [] })).leaf('', {
  ...VALIDITY,
  uriSans: [],
})

export interface AttestorBlocks extends Disposable {
  /** Join tokens and x509pop. */
  readonly text: string
}

export function attestorBlocks(): AttestorBlocks {
  const dir = mkdtempSync(join(tmpdir(), 'steeple-rpc-'))
  writeFileSync(join(dir, 'ca.pem'), toPem('CERTIFICATE', ca.certificate))
  return {
    text: `NodeAttestor "join_token" { plugin_data {} }
      NodeAttestor "x509pop" { plugin_data { ca_bundle_path = "${dir}/ca.pem" } }`,
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  }
}

/** AttestAgent with this type and payload; `csr` empty leaves it out. */
export const attest = (type: string, payload: Uint8Array | string, request = csr): Step => ({
  as: 'nobody',
  call: 'Agent/AttestAgent',
  with: [{ params: { data: { type, payload: Buffer.from(payload) }, params: { csr: request } } }],
})

/** @param respond to the challenge; a good proof when left out */
export const attestMachine = (respond: Respond = answerWith(machine.key)): Step => ({
  ...attest('x509pop', writeX509PopPayload(machine.chain)),
  respond,
})

const answerWith =
  (key: typeof machine.key): Respond =>
  ({ challenge }) => {
    if (!Buffer.isBuffer(challenge) || challenge.length === 0) return 'end'
    const { nonce } = readX509PopChallenge(challenge)
    const proof = provePossession(key, nonce, randomBytes(NONCE_BYTES))
    return { challenge_response: Buffer.from(writeX509PopAnswer(proof)) }
  }

/** Says this to the challenge, whatever it asks. */
export const saying =
  (answer: Request): Respond =>
  ({ challenge }: Message) =>
    Buffer.isBuffer(challenge) && challenge.length > 0 ? answer : 'end'

export const withAnotherKey = answerWith(otherKey)
export const STRANGER_PAYLOAD = writeX509PopPayload(stranger.chain)
