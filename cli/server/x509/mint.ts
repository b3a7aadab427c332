/** `steeple server x509 mint`: an X.509-SVID without an agent. Its private key is made here and stays here. */
import { join } from 'node:path'
import type { MintX509SVIDResponse } from '../../../proto/gen/spire/api/server/svid/v1/MintX509SVIDResponse.ts'
import type { Bundle } from '../../../proto/gen/spire/api/types/Bundle.ts'
import { bundleApi, svidApi } from '../../../proto/load.ts'
import { unixSeconds } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import type { SpiffeId } from '../../../spiffe/id.ts'
import { generateKey, toPkcs8 } from '../../../spiffe/key.ts'
import { parseCertificate } from '../../../spiffe/x509/certificate.ts'
import { createCsr } from '../../../spiffe/x509/csr.ts'
import { toPem, toPemChain } from '../../../spiffe/x509/pem.ts'
import { defineCommand, type Session } from '../../command.ts'
import { duration, list, path, required, text } from '../../flag/kinds.ts'
import { PRIVATE, PUBLIC, writeFile } from '../../output/write-file.ts'
import { attempting, connectServer, type Endpoint } from '../../rpc/endpoint.ts'
import type { Terminal } from '../../terminal.ts'
import { operatorFlags } from '../flags.ts'
import { readId } from '../spiffe-id.ts'
import { cappedWarning, toTtlSeconds } from '../ttl.ts'

export const mint = defineCommand({
  summary: 'Issue an X.509-SVID without an agent; the private key is made on this machine',
  examples: [
    'server x509 mint -spiffeID spiffe://example.org/job -ttl 1h -write /run/job',
    'server x509 mint -spiffeID spiffe://example.org/db -dns db.example.org',
  ],
  flags: {
    ...operatorFlags,
    dns: list('DNS name in the certificate'),
    spiffeID: required(text('SPIFFE ID of the X.509-SVID')),
    ttl: duration('lifetime, e.g. 1h30m; as the server is configured when it is left out'),
    write: path('directory for svid.pem, key.pem and bundle.pem, instead of standard output'),
  },
  async run({ dns, spiffeID, ttl, write, output, ...socket }, session) {
    if (spiffeID === '') throw new IdentityError('REQUEST_INVALID', 'spiffeID must be specified')
    const request = { id: readId(spiffeID), dnsNames: dns, ttlMs: ttl }
    using server = connectServer(socket, session)
    const minted = await requestSvid(server, request, session)
    if (write !== '') await writeFiles(minted, write, session.terminal)
    else if (output === 'json') session.terminal.print(jsonOf(minted))
    else session.terminal.print(textOf(minted))
    return 0
  },
})

interface SvidRequest {
  readonly id: SpiffeId
  readonly dnsNames: readonly string[]
  readonly ttlMs: number
}

/** Certificates in DER, the key in PKCS#8. */
interface Minted {
  readonly chain: readonly Buffer[]
  readonly key: Buffer
  readonly roots: readonly Buffer[]
}

async function requestSvid(
  server: Endpoint,
  { id, dnsNames, ttlMs }: SvidRequest,
  { terminal, clock }: Session,
): Promise<Minted> {
  const ttl = toTtlSeconds(ttlMs)
  const key = await generateKey('ec-p256')
  const csr = createCsr({ key, uriSans: [id], dnsNames })
  const client = server.client(svidApi())
  const { svid } = await attempting(
    'unable to mint SVID',
    server.call<MintX509SVIDResponse>((options, done) =>
      client.MintX509SVID({ csr, ttl }, options, done),
    ),
  )
  const [leaf] = svid?.cert_chain ?? []
  if (svid === null || leaf === undefined) {
    throw new IdentityError('INTERNAL', 'server response missing SVID chain')
  }
  const bundles = server.client(bundleApi())
  const bundle = await attempting(
    'unable to get bundle',
    server.call<Bundle>((options, done) => bundles.GetBundle({}, options, done)),
  )
  const expiresAt = unixSeconds(parseCertificate(leaf).notAfter)
  terminal.complain(cappedWarning('X509-SVID', { ttlMs, expiresAt, now: clock.now() }))
  const roots = bundle.x509_authorities.map(({ asn1 }) => asn1)
  return { chain: svid.cert_chain, key: toPkcs8(key), roots }
}

async function writeFiles(minted: Minted, directory: string, terminal: Terminal): Promise<void> {
  const files = [
    ['SVID', 'X509-SVID', 'svid.pem', toPemChain(minted.chain), PUBLIC],
    ['key', 'Private key', 'key.pem', toPem('PRIVATE KEY', minted.key), PRIVATE],
    ['bundle', 'Root CAs', 'bundle.pem', toPemChain(minted.roots), PUBLIC],
  ] as const
  for (const [what, title, name, content, mode] of files) {
    const path = join(directory, name)
    await attempting(`unable to write ${what}`, writeFile(path, content, mode))
    terminal.print(`${title} written to ${path}\n`)
  }
}

/** Not one of the protocol's messages, so its members are in no order but their own. */
function jsonOf({ chain, key, roots }: Minted): string {
  const base64 = (der: Buffer) => der.toString('base64')
  const document = {
    x509_svid: chain.map(base64),
    private_key: base64(key),
    root_cas: roots.map(base64),
  }
  return `${JSON.stringify(document)}\n`
}

function textOf({ chain, key, roots }: Minted): string {
  return [
    `X509-SVID:\n${toPemChain(chain)}`,
    `Private key:\n${toPem('PRIVATE KEY', key)}`,
    `Root CAs:\n${toPemChain(roots)}\n`,
  ].join('\n')
}
