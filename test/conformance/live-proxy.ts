/**
 * A proxy of the workload that the decision vectors speak of, in front of real backends, and clients that are who a vector says.
 * Addresses of 10.0.0.0/8 are moved to 127.0.0.0/8, in policies and requests alike: everything happens on loopback.
 */
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { DecisionCase } from '../../policy/vectors/vector-file.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { authorizeAny } from '../../workload/tls/authorize.ts'
import { connectMtls } from '../../workload/tls/connect-mtls.ts'
import type { TestCa } from '../fakes/ca.ts'
import { contextOf, currentCa, FakeTlsIdentity, identityOf } from '../fakes/svids.ts'
import { startGrpcProvider } from '../proxy/ext-authz/start-providers.ts'
import { startListeners } from '../proxy/pair.ts'

/** Every trust domain that a vector names, each with an authority of its own. */
const TRUST_DOMAINS = [
  ...['cluster.local', 'new.td', 'old.td', 'corp', 'other.td', 'x.td', 'x.cluster.local'],
] as const

const cas = new Map<string, TestCa>()
for (const name of TRUST_DOMAINS) cas.set(name, await currentCa(name))
const bundles = [...cas.values()].map(({ bundle }) => bundle)

const identities = new Map<string, FakeTlsIdentity>()

/** @param id without its scheme */
async function identityFor(id: string): Promise<FakeTlsIdentity> {
  const known = identities.get(id)
  if (known !== undefined) return known
  const slash = id.indexOf('/')
  const ca = cas.get(id.slice(0, slash))
  if (ca === undefined) throw new Error(`no authority for ${id}`)
  const made = new FakeTlsIdentity(contextOf(await identityOf(ca, id.slice(slash)), bundles))
  identities.set(id, made)
  return made
}

export const DESTINATION_IP = '127.20.0.7'

/** Of a vector: the same place on loopback. */
export const onLoopback = (text: string): string =>
  text.replace(/(?<![\d.])10\.(\d{1,3}\.\d{1,3}\.\d{1,3})/g, '127.$1')

const tokenKey = createPrivateKey(
  generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey,
)

export function tokenOf(claims: Readonly<Record<string, unknown>>): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const exp = Math.floor(systemClock.now().getTime() / 1000) + 3600
  const text = `${part({ alg: 'ES256' })}.${part({ ...claims, exp })}`
  const signature = sign('sha256', Buffer.from(text), { key: tokenKey, dsaEncoding: 'ieee-p1363' })
  return `${text}.${signature.toString('base64url')}`
}

/** Accepts the tokens above. */
export function acceptingTokens(
  claims: Readonly<Record<string, unknown>>,
  spaceDelimitedClaims: readonly string[] | undefined,
): object {
  const { crv, kty, x, y } = tokenKey.export({ format: 'jwk' })
  const jwks = JSON.stringify({ keys: [{ crv, kty, x, y, alg: 'ES256' }] })
  const more = spaceDelimitedClaims === undefined ? {} : { spaceDelimitedClaims }
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'RequestAuthentication',
    metadata: { name: 'tokens', namespace: 'shop' },
    spec: { jwtRules: [{ issuer: claims.iss, jwks, ...more }] },
  }
}

async function listen(server: Server): Promise<number> {
  server.listen(0, DESTINATION_IP)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port // cast: it listens on TCP
}

/** Workload ports of the vectors. */
const PORTS = [80, 8080, 8081, 9000, 12_345] as const

export type LiveProxy = Awaited<ReturnType<typeof startLiveProxy>>

export interface MeshOf {
  readonly trustDomain: string
  readonly aliases: readonly string[]
  readonly pathNormalization: string
}

export async function startLiveProxy({ trustDomain, aliases, pathNormalization }: MeshOf) {
  let agrees = false
  const provider = await startGrpcProvider(() => ({ status: { code: agrees ? 0 : 7 } }))
  const web = createHttpServer(({ url, headers }, response) => {
    response.setHeader('x-authorization', headers.authorization ?? '').end(url)
  })
  const echo = createServer((socket) => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  const [webPort, echoPort] = await Promise.all([listen(web), listen(echo)])
  const inbound = (name: string, protocol: string, port: number, upstream: number) =>
    `inbound "${name}-${port}" {
      listen = "${DESTINATION_IP}:0"  upstream = "${DESTINATION_IP}:${upstream}"
      workload_port = ${port}  protocol = "${protocol}"
    }`
  const quoted = (names: readonly string[]) => names.map((name) => `"${name}"`).join(', ')
  const federated = TRUST_DOMAINS.filter((name) => name !== trustDomain && !aliases.includes(name))
  const proxy = await startListeners(
    await identityFor(`${trustDomain}/ns/shop/sa/cart`),
    `
    ${PORTS.map((port) => inbound('http', 'http', port, webPort)).join('\n')}
    ${PORTS.map((port) => inbound('tcp', 'tcp', port, echoPort)).join('\n')}
    protocol_detection_timeout = "100ms"
    hbone { listen = "${DESTINATION_IP}:0" }
    workload { namespace = "shop"  labels { app = "cart" }  tcp_ports = [${echoPort}] }
    mesh {
      trust_domain_aliases = [${quoted(aliases)}]
      federated_trust_domains = [${quoted(federated)}]
      path_normalization = "${pathNormalization}"
      refuse_ambiguous_paths = false
      trusted_hops = 1
      extension_provider "opa-grpc" { protocol = "grpc"  address = "127.0.0.1:${provider.port}" }
    }`,
  )
  return {
    ...{ proxy, echoPort },
    setProvider(answer: 'allow' | 'deny' | undefined) {
      agrees = answer === 'allow'
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]()
      provider[Symbol.dispose]()
      web.close()
      web.closeAllConnections()
      echo.close()
    },
  }
}

/** A connection from where and as whom the vector says; `alpn` for mutual TLS. Undefined when the handshake fails. */
export async function connectAs(
  { source, sni }: DecisionCase['request'],
  port: number,
  alpn: readonly string[],
): Promise<Socket> {
  const socket = connect({ port, host: DESTINATION_IP, localAddress: onLoopback(source.ip) })
  socket.on('error', () => {})
  await once(socket, 'connect')
  if (source.principal === undefined) return socket
  const identity = await identityFor(source.principal)
  const target = { host: DESTINATION_IP, port, socket, servername: sni, alpn }
  return await connectMtls(identity, authorizeAny(), target)
}
