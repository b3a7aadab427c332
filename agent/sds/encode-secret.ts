/**
 * Secrets as Envoy reads them: PEM inside `envoy.extensions.transport_sockets.tls.v3.Secret`, an SVID with its key, a bundle as
 * the configuration of the SPIFFE validator or, for who has or wants none, as roots.
 */
import type { MessageTypeDefinition } from '@grpc/proto-loader'
import type { SecretInput } from '../../proto/gen/envoy/extensions/transport_sockets/tls/v3/Secret.ts'
import type { SPIFFECertValidatorConfigInput } from '../../proto/gen/envoy/extensions/transport_sockets/tls/v3/SPIFFECertValidatorConfig.ts'
import { definitionsOf } from '../../proto/load.ts'
import { formatBundlePem } from '../../spiffe/bundle/pem.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { toPem, toPemChain } from '../../spiffe/x509/pem.ts'
import type { Validator } from './envoy-node.ts'
import type { OfferedSecret } from './offered-secrets.ts'

export interface AnyMessage {
  readonly type_url: string
  readonly value: Buffer
}

const TLS = 'envoy.extensions.transport_sockets.tls.v3'
const VALIDATOR = 'envoy.tls.cert_validator.spiffe'
export const SECRET_TYPE_URL = `type.googleapis.com/${TLS}.Secret`
const VALIDATOR_TYPE_URL = `type.googleapis.com/${TLS}.SPIFFECertValidatorConfig`

// Casts: the loader types its map by name only; these two names are messages, not services or enums.
const secretType = () =>
  definitionsOf('secretDiscovery')[`${TLS}.Secret`] as MessageTypeDefinition<SecretInput, object>
const validatorType = () =>
  definitionsOf('secretDiscovery')[`${TLS}.SPIFFECertValidatorConfig`] as MessageTypeDefinition<
    SPIFFECertValidatorConfigInput,
    object
  >

/** @throws IdentityError INTERNAL, SPIRE's code and text, for all bundles in one without the SPIFFE validator */
export function encodeSecret(secret: OfferedSecret, validator: Validator): AnyMessage {
  return { type_url: SECRET_TYPE_URL, value: secretType().serialize(secretOf(secret, validator)) }
}

function secretOf(secret: OfferedSecret, validator: Validator): SecretInput {
  const { name } = secret
  switch (secret.kind) {
    case 'svid': {
      const { chain, key } = secret.identity
      const certificate_chain = inline(toPemChain(chain))
      const private_key = inline(toPem('PRIVATE KEY', key))
      return { name, tls_certificate: { certificate_chain, private_key } }
    }
    case 'bundle':
      return { name, validation_context: contextOf([secret.bundle], validator) }
    case 'bundles':
      // Fails closed: as plain roots, an authority of one trust domain could vouch for another's identities.
      if (validator === 'roots') throw noValidator()
      return { name, validation_context: contextOf(secret.bundles, validator) }
    default:
      return secret satisfies never
  }
}

function contextOf(bundles: readonly Bundle[], validator: Validator) {
  if (validator === 'roots') return { trusted_ca: inline(bundles.map(formatBundlePem).join('')) }
  const trust_domains = bundles.map((bundle) => ({
    name: bundle.trustDomain,
    trust_bundle: inline(formatBundlePem(bundle)),
  }))
  const value = validatorType().serialize({ trust_domains })
  const typed_config = { type_url: VALIDATOR_TYPE_URL, value }
  return { custom_validator_config: { name: VALIDATOR, typed_config } }
}

function inline(text: string) {
  return { inline_bytes: Buffer.from(text) }
}

function noValidator(): IdentityError {
  const text = 'unable to use "SPIFFE validator" on Envoy below 1.17'
  const why =
    'the Envoy asked for all bundles in one, which its SPIFFE validator alone keeps apart, but is older than 1.18 or has turned the validator off'
  return new IdentityError('INTERNAL', text, { cause: { fields: { why } } })
}
