/** Answers of secret discovery as they can be compared: bundles to the byte, SVIDs by whose they are and whether they are whole. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { MessageTypeDefinition } from '@grpc/proto-loader'
import type { CertificateValidationContext } from '../../../proto/gen/envoy/extensions/transport_sockets/tls/v3/CertificateValidationContext.ts'
import type { Secret } from '../../../proto/gen/envoy/extensions/transport_sockets/tls/v3/Secret.ts'
import type { SPIFFECertValidatorConfig } from '../../../proto/gen/envoy/extensions/transport_sockets/tls/v3/SPIFFECertValidatorConfig.ts'
import type { DiscoveryResponse } from '../../../proto/gen/envoy/service/discovery/v3/DiscoveryResponse.ts'
import { definitionsOf } from '../../../proto/load.ts'

const TLS = 'envoy.extensions.transport_sockets.tls.v3'

// Cast: the loader types its map by name only; the names below are messages.
const codec = <T>(name: string) =>
  definitionsOf('secretDiscovery')[`${TLS}.${name}`] as unknown as MessageTypeDefinition<T, T>

interface Any {
  readonly type_url: string
  readonly value: Uint8Array
}

/** @throws when the bytes have a field that our .proto files do not know */
function decode<T extends object>(name: string, { value }: Any): T {
  const type = codec<T>(name)
  const bytes = Buffer.from(value)
  const decoded = type.deserialize(bytes)
  if (type.serialize(decoded).length !== bytes.length) {
    throw new Error(`${name} has fields that we do not know: ${bytes.toString('hex')}`)
  }
  return decoded
}

export const decodeSecret = (any: Any): Secret => decode<Secret>('Secret', any)

export const shapeOfAnswer = ({
  version_info,
  resources,
  canary,
  type_url,
  nonce,
}: DiscoveryResponse) => ({
  ...{
    version_info,
    canary,
    type_url,
    nonce: /^([0-9a-f]{8})?$/.test(nonce) ? nonce.length : nonce,
  },
  resources: resources.map((any) => ({ type_url: any.type_url, secret: shapeOfSecret(any) })),
})

function shapeOfSecret(any: Any) {
  const { name, type, tls_certificate: svid, validation_context: context } = decodeSecret(any)
  if (svid === undefined || svid === null) {
    return { name, type, context: context ? shapeOfContext(context) : context }
  }
  const chain = textOf(svid.certificate_chain)
  const key = textOf(svid.private_key)
  const certificates = chain.split(/(?<=-----END CERTIFICATE-----\n)/)
  const leaf = new X509Certificate(certificates[0] ?? '')
  return {
    ...{ name, type, id: leaf.subjectAltName, certificates: certificates.length },
    isItsKey: leaf.checkPrivateKey(createPrivateKey(key)),
    frame: key.replace(/[A-Za-z0-9+/=]{4,}\n/g, 'x\n'),
  }
}

function shapeOfContext({
  trusted_ca,
  custom_validator_config: custom,
}: CertificateValidationContext) {
  if (custom === null) return { roots: textOf(trusted_ca) }
  const { name, typed_config: any } = custom
  if (any === null) return { name, trusted_ca }
  const { trust_domains } = decode<SPIFFECertValidatorConfig>('SPIFFECertValidatorConfig', any)
  return {
    ...{ name, type_url: any.type_url, trusted_ca },
    trustDomains: trust_domains.map((one) => [one.name, textOf(one.trust_bundle)]),
  }
}

interface Source {
  readonly specifier?: string
  readonly inline_bytes?: Uint8Array
}

function textOf(source: Source | null): string {
  if (source?.specifier !== 'inline_bytes') throw new Error(`not inline: ${source?.specifier}`)
  return Buffer.from(source.inline_bytes ?? []).toString()
}
