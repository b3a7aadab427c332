/** `steeple server wit mint`: a WIT-SVID without an agent. Its private key is made here and stays here. */
import type { KeyObject } from 'node:crypto'
import { join } from 'node:path'
import type { MintWITSVIDResponse } from '../../../proto/gen/spire/api/server/svid/v1/MintWITSVIDResponse.ts'
import type { WITSVID } from '../../../proto/gen/spire/api/types/WITSVID.ts'
import { svidApi } from '../../../proto/load.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { generateKey, KEY_TYPES, spkiOf } from '../../../spiffe/key.ts'
import { defineCommand } from '../../command.ts'
import { choice, duration, path, required, text } from '../../flag/kinds.ts'
import { PRIVATE, writeFile } from '../../output/write-file.ts'
import { FEATURES_VARIABLE } from '../../program.ts'
import { attempting, connectServer } from '../../rpc/endpoint.ts'
import type { Terminal } from '../../terminal.ts'
import { operatorFlags } from '../flags.ts'
import { readId, toParts } from '../spiffe-id.ts'
import { cappedWarning, toTtlSeconds } from '../ttl.ts'
import { SIGNING_ALGORITHMS, workloadKeyType } from './workload-key.ts'

export const mint = defineCommand({
  summary: 'Issue a WIT-SVID without an agent; the private key is made on this machine',
  details:
    `The command is there only when ${FEATURES_VARIABLE} names the feature wit-svid, and works only on a server ` +
    'whose configuration has it, too.',
  examples: [
    'server wit mint -spiffeID spiffe://example.org/job -write /run/job',
    'server wit mint -spiffeID spiffe://example.org/job -keyType ec-p384 -signingAlgorithm ES384',
  ],
  flags: {
    ...operatorFlags,
    keyType: choice('key to make', KEY_TYPES, 'ec-p256'),
    signingAlgorithm: choice('what the key will sign with', SIGNING_ALGORITHMS, 'ES256'),
    spiffeID: required(text('SPIFFE ID of the WIT-SVID')),
    ttl: duration('lifetime, e.g. 5m; as the server is configured when it is left out'),
    write: path('directory for token and key, instead of standard output'),
  },
  async run(
    { keyType, signingAlgorithm, spiffeID, ttl: ttlMs, write, output, ...socket },
    session,
  ) {
    const { terminal, clock } = session
    if (spiffeID === '') throw new IdentityError('REQUEST_INVALID', 'spiffeID must be specified')
    const id = toParts(readId(spiffeID))
    const ttl = toTtlSeconds(ttlMs)
    const key = await generateKey(workloadKeyType(keyType, signingAlgorithm))
    const request = { id, public_key: spkiOf(key), ttl, signing_algorithm: signingAlgorithm }
    using server = connectServer(socket, session)
    const client = server.client(svidApi())
    const { svid } = await attempting(
      'unable to mint SVID',
      server.call<MintWITSVIDResponse>((options, done) =>
        client.MintWITSVID(request, options, done),
      ),
    )
    if (svid === null || svid.token === '') {
      throw new IdentityError('INTERNAL', 'server response missing token')
    }
    const { expires_at: expiresAt } = svid
    terminal.complain(cappedWarning('WIT-SVID', { ttlMs, expiresAt, now: clock.now() }))
    const minted = { svid, key: jwkOf(key) }
    if (write !== '') await writeFiles(minted, write, terminal)
    else if (output === 'json') terminal.print(jsonOf(minted))
    else terminal.print(`${svid.token}\n${minted.key}\n`)
    return 0
  },
})

interface Minted {
  readonly svid: WITSVID
  /** Private, as the text of a JWK. */
  readonly key: string
}

/** In the order of RFC 7517 and 7518, which is SPIRE's too. */
const JWK_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi'] as const

function jwkOf(key: KeyObject): string {
  return JSON.stringify(key.export({ format: 'jwk' }), [...JWK_MEMBERS])
}

async function writeFiles(
  { svid, key }: Minted,
  directory: string,
  terminal: Terminal,
): Promise<void> {
  const files = [
    ['token', 'WIT-SVID', svid.token],
    ['key', 'Private key', key],
  ] as const
  for (const [name, title, content] of files) {
    const path = join(directory, name)
    await attempting(`unable to write ${name}`, writeFile(path, content, PRIVATE))
    terminal.print(`${title} written to ${path}\n`)
  }
}

/** Not one of the protocol's messages, so its members are in no order but their own; empty ones are left out. */
function jsonOf({ svid, key }: Minted): string {
  const { token, id, expires_at, issued_at, hint } = svid
  const shown = { token, id, expires_at, issued_at, ...(hint !== '' && { hint }) }
  return `${JSON.stringify({ private_key: key, svid: shown })}\n`
}
