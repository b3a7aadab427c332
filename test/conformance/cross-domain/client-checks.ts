/** Chains that the agent and programs on the SDK judge, and those that they are given the means to judge. */
import type { MessageTypeDefinition } from '@grpc/proto-loader'
import { callUnary } from '../../../agent/node/call.ts'
import { connectServer } from '../../../agent/node/server-connection.ts'
import { encodeSecret } from '../../../agent/sds/encode-secret.ts'
import type { Secret } from '../../../proto/gen/envoy/extensions/transport_sockets/tls/v3/Secret.ts'
import type { SPIFFECertValidatorConfig } from '../../../proto/gen/envoy/extensions/transport_sockets/tls/v3/SPIFFECertValidatorConfig.ts'
import type { Bundle as WireBundle } from '../../../proto/gen/spire/api/types/Bundle.ts'
import { definitionsOf } from '../../../proto/load.ts'
import { toWireId } from '../../../proto/wire.ts'
import { readBundles, readContext } from '../../../proxy/identity/delegated-identity.ts'
import { type Bundle, emptyBundle } from '../../../spiffe/bundle.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { parseTrustDomain, trustDomainId } from '../../../spiffe/id.ts'
import { fromPem } from '../../../spiffe/x509/pem.ts'
import { verifyPeer } from '../../../spiffe/x509/verify.ts'
import { authorizeAny } from '../../../workload/tls/authorize.ts'
import { connectMtls } from '../../../workload/tls/connect-mtls.ts'
import { createMtlsServer } from '../../../workload/tls/mtls-server.ts'
import { contextOf, FakeTlsIdentity, identityOf } from '../../fakes/svids.ts'
import { ours, type Presented } from './attacks.ts'
import type { ChainCheck } from './chain-check.ts'
import { isRefused } from './is-refused.ts'
import { dial, hears, serveAs } from './raw-tls.ts'

const clock = systemClock
const web = await identityOf(ours, '/web')
const sourceOf = (bundles: readonly Bundle[]) => new FakeTlsIdentity(contextOf(web, bundles))

async function callSdkServer({ identity, bundles }: Presented): Promise<boolean> {
  await using server = createMtlsServer(sourceOf(bundles), authorizeAny(), (socket) => {
    socket.on('error', () => {})
    socket.end('hello')
  })
  const { port } = await server.listen({ port: 0, host: '127.0.0.1' })
  const socket = dial(identity, port, [])
  const heard = await hears(socket)
  socket.destroy()
  return heard
}

async function callWithSdk({ identity, bundles }: Presented): Promise<boolean> {
  await using server = await serveAs(identity, () => {})
  const dialing = connectMtls(sourceOf(bundles), authorizeAny(), {
    ...{ host: '127.0.0.1', port: server.port },
  })
  return !(await isRefused(dialing.then((socket) => socket.destroy())))
}

async function connectAgent({ identity }: Presented): Promise<boolean> {
  await using server = await serveAs(identity, (socket) => socket.destroy(), ['h2'])
  const trust = { kind: 'bundle', bundle: () => ours.bundle } as const
  const { trustDomain } = ours
  using connection = connectServer(
    { host: '127.0.0.1', port: server.port, trustDomain, trust, clock },
    undefined,
  )
  const { signal } = new AbortController()
  try {
    const { bundle } = connection.lease()
    await callUnary<WireBundle>((done) => bundle.GetBundle({}, done), { clock, signal })
    return true
  } catch (error) {
    const why = connection.explain(error)
    // The server hangs up on whoever believes it.
    return !(why instanceof IdentityError && why.code === 'CERTIFICATE_UNTRUSTED')
  }
}

const isVouchedFor = async ({ identity: { chain } }: Presented, bundles: readonly Bundle[]) => {
  const known = new Map(bundles.map((one) => [one.trustDomain, one]))
  return !(await isRefused((async () => verifyPeer({ chain, bundles: known, now: clock.now() }))()))
}

const TLS = 'envoy.extensions.transport_sockets.tls.v3'
function decode<T extends object>(name: string, bytes: Buffer): T {
  // Cast: the loader types its map by name only.
  const type = definitionsOf('secretDiscovery')[`${TLS}.${name}`] as MessageTypeDefinition<
    object,
    T
  >
  return type.deserialize(bytes)
}

const authoritiesOf = (trustDomain: string, text: Buffer | undefined): Bundle => ({
  ...emptyBundle(parseTrustDomain(trustDomain)),
  x509Authorities: fromPem('CERTIFICATE', String(text)).map((der) => ({ der, tainted: false })),
})

/** As Envoy's SPIFFE validator does it: by the authorities of the trust domain that the ID names. */
async function judgeByAllBundles(presented: Presented): Promise<boolean> {
  const { bundles } = presented
  const { value } = encodeSecret({ kind: 'bundles', name: 'ALL', bundles }, 'spiffe')
  const { validation_context: context } = decode<Secret>('Secret', value)
  const config = context?.custom_validator_config?.typed_config?.value
  if (!Buffer.isBuffer(config)) throw new Error('no validator was configured')
  const { trust_domains } = decode<SPIFFECertValidatorConfig>('SPIFFECertValidatorConfig', config)
  return await isVouchedFor(
    presented,
    trust_domains.map(({ name, trust_bundle }) => authoritiesOf(name, trust_bundle?.inline_bytes)),
  )
}

async function judgeByOwnRoots(presented: Presented): Promise<boolean> {
  const { value } = encodeSecret({ kind: 'bundle', name: 'ROOTCA', bundle: ours.bundle }, 'roots')
  const { validation_context: context } = decode<Secret>('Secret', value)
  const own = authoritiesOf('example.org', context?.trusted_ca?.inline_bytes)
  return await isVouchedFor(presented, [own])
}

/** As a delegate of the agent does it for a workload that federates with everybody known. */
async function judgeAsDelegate(presented: Presented): Promise<boolean> {
  const ca_certificates = Object.fromEntries(
    presented.bundles.map(({ trustDomain, x509Authorities }) => [
      trustDomainId(trustDomain),
      Buffer.concat(x509Authorities.map(({ der }) => der)),
    ]),
  )
  const id = toWireId(web.id)
  const x509_svid = { cert_chain: web.chain.map((der) => Buffer.from(der)), id, hint: '' }
  const federates_with = presented.bundles.map(({ trustDomain }) => trustDomain)
  const context = readContext(
    {
      x509_svids: [
        {
          x509_svid: { ...x509_svid, expires_at: Math.floor(web.expiresAt.getTime() / 1_000) },
          x509_svid_key: Buffer.from(web.key),
        },
      ],
      federates_with,
    },
    readBundles({ ca_certificates }),
  )
  return await isVouchedFor(presented, [...context.bundles.values()])
}

export const CLIENT_CHECKS: readonly ChainCheck[] = [
  {
    ...{ place: 'the agent’s connection to its server', believes: 'own', path: '/spire/server' },
    judge: connectAgent,
  },
  { place: 'a server on the SDK', believes: 'federated', path: '/api', judge: callSdkServer },
  { place: 'a client on the SDK', believes: 'federated', path: '/api', judge: callWithSdk },
  {
    ...{ place: 'Envoy with all bundles over SDS', believes: 'federated', path: '/api' },
    judge: judgeByAllBundles,
  },
  {
    ...{ place: 'Envoy with our own roots over SDS', believes: 'own', path: '/api' },
    judge: judgeByOwnRoots,
  },
  {
    ...{ place: 'a delegate of the agent', believes: 'federated', path: '/api' },
    judge: judgeAsDelegate,
  },
]
