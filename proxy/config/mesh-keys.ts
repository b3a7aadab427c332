/** The keys of proxy.conf for tunnels (HBONE) and for captured connections. */
import { isIP } from 'node:net'
import { listenAddress } from '../../config/address.ts'
import { optional, required, section, withDefault } from '../../config/check.ts'
import { choice, listOf, port, text, truth, type Value, value, whole } from '../../config/value.ts'
import { type IpBlock, parseIpBlock } from '../../policy/ip-block.ts'
import { peerPattern } from './peer-pattern.ts'

const authorize = withDefault(
  listOf(peerPattern(), 'SPIFFE IDs and trust domains'),
  '[]',
  'peers that may connect at all; anybody verified when left out',
)
const forwardClientCert = withDefault(
  truth(),
  'true',
  'tell the workload its caller in x-forwarded-client-cert',
)

function ip(): Value<string> {
  return value(
    (node) =>
      node.kind === 'string' && isIP(node.value) !== 0
        ? { kind: 'value', value: node.value }
        : { kind: 'wrong', message: 'is no IP address' },
    'an IP address, such as 10.0.0.7',
  )
}

function ipBlock(): Value<IpBlock> {
  return value((node) => {
    const block = node.kind === 'string' ? parseIpBlock(node.value) : undefined
    return block === undefined
      ? { kind: 'wrong', message: 'is no address and no block of addresses' }
      : { kind: 'value', value: block }
  }, 'an address or a block of addresses, such as 10.0.0.7 or 10.1.0.0/16')
}

export const hbone = section({
  addresses: withDefault(
    listOf(ip(), 'IP addresses'),
    '[]',
    'addresses of the workload beside the one that a tunnel came in at',
  ),
  authorize,
  forward_client_cert: forwardClientCert,
  listen: required(listenAddress(), 'where tunnels come in; the mesh’s port for them is 15008'),
  upstream_host: optional(
    ip(),
    'where the workload listens, such as 127.0.0.1; at the address that was asked for when left out',
  ),
})

export const capture = section({
  authorize,
  forward_client_cert: forwardClientCert,
  inbound_port: withDefault(port(), '15006', 'where connections to the workload are redirected to'),
  min_tls_version: withDefault(choice(['1.2', '1.3']), '1.3', 'oldest TLS version that is taken'),
  mtls: optional(
    choice(['policy', 'strict']),
    'policy: PeerAuthentication decides; strict: always; by default policy where there are policies',
  ),
  outbound_port: withDefault(
    port(),
    '15001',
    'where connections of the workload are redirected to',
  ),
  proxy_uid: optional(
    whole(1, 4_294_967_294, 'a user’s number'),
    'user that the proxy runs as, where rules tell its connections by that instead of by a mark',
  ),
  unlisted: withDefault(
    choice(['pass', 'refuse']),
    'pass',
    'what becomes of connections to addresses of no destination block',
  ),
})

export const destination = section({
  addresses: required(
    listOf(ipBlock(), 'addresses and blocks of addresses'),
    'addresses that this is about; of several blocks that hold one, the narrowest counts',
  ),
  authorize: withDefault(
    listOf(peerPattern(), 'SPIFFE IDs and trust domains'),
    '[]',
    'who may answer there; required unless transport is plaintext',
  ),
  hbone_port: withDefault(port(), '15008', 'where proxies there take tunnels'),
  ports: withDefault(listOf(port(), 'ports'), '[]', 'ports that this is about; all when left out'),
  protocol: withDefault(
    choice(['auto', 'http', 'http2', 'tcp']),
    'auto',
    'what is spoken there; for transport mtls, tunnels carry anything',
  ),
  service: optional(text('a name'), 'name of the destination in metrics and logs'),
  transport: withDefault(
    choice(['hbone', 'mtls', 'plaintext']),
    'hbone',
    'hbone: tunnels; mtls: mutual TLS at the port itself; plaintext: as they are',
  ),
})
