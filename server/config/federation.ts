/**
 * The federation block: the endpoint that serves this trust domain's bundle, and the endpoints of others.
 *
 * @see https://github.com/spiffe/spire/blob/main/doc/spire_server.md — federation configuration
 */
import type { AccountSettings } from '../../acme/account.ts'
import { acmeKeys, domainName } from '../../config/acme.ts'
import { certificateFiles, certificateFilesOf } from '../../config/certificate-files.ts'
import {
  allMembers,
  type Context,
  type Keys,
  nest,
  optional,
  placeOf,
  type Read,
  type Rule,
  refine,
  reportRepeated,
  required,
  type Section,
  type Spot,
  section,
  withDefault,
} from '../../config/check.ts'
import { ifWritten } from '../../config/if-written.ts'
import { addMistake, addRefusal, addWarning } from '../../config/mistake.ts'
import type { Member } from '../../config/tree.ts'
import { host, port, seconds, spiffeIdValue, text } from '../../config/value.ts'
import type { CertificateFiles } from '../../disk/certificate-files.ts'
import { parseTrustDomain } from '../../spiffe/id.ts'
import { checkEndpointUrl } from '../federation/endpoint-url.ts'
import type { FederationRelationship } from '../federation/relationship.ts'

export interface BundleEndpointConfig {
  readonly address: string
  readonly port: number
  readonly refreshHintSeconds: number
  readonly profile:
    | { readonly kind: 'https_spiffe' }
    | { readonly kind: 'https_web'; readonly certificate: EndpointCertificate }
}

export type EndpointCertificate =
  | { readonly kind: 'files'; readonly files: CertificateFiles }
  | { readonly kind: 'acme'; readonly account: AccountSettings; readonly domain: string }

export interface FederationConfig {
  /** Undefined: nothing is served. */
  readonly endpoint: BundleEndpointConfig | undefined
  /** They come before relationships with the same trust domains that were made by API. */
  readonly relationships: readonly FederationRelationship[]
}

const acme = section({
  ...acmeKeys(),
  domain_name: required(domainName(), 'name of the endpoint'),
})

/** Where SPIRE had it before there were profiles. */
const oldAcme = section(deprecated(acme.keys, 'of the deprecated place of profile.https_web.acme'))

/** The same keys, each told with `where` behind it. */
function deprecated<K extends Keys>(keys: K, where: string): K {
  const told = Object.entries(keys).map(([name, key]) => {
    return [name, { ...key, about: `${key.about}; ${where}` }] as const
  })
  return Object.fromEntries(told) as K // cast: names and types are those of `keys`
}

const webServer = section({
  acme: optional(ifWritten(acme), 'certificate by ACME, renewed by the server'),
  serving_cert_file: optional(ifWritten(certificateFiles()), 'certificate files'),
})

/** Exactly one of several named blocks, written as `profile "https_web" { … }` or as an object with one key. */
function oneOf<S extends Readonly<Record<string, Section<Keys>>>>(kinds: S) {
  const names = Object.keys(kinds).join(' or ')
  return {
    keys: Object.fromEntries(
      Object.entries(kinds).map(([name, rule]) => [name, optional(rule, name)]),
    ),
    expected: names,
    read: (found: readonly Member[], spot: Spot, context: Context) => {
      const members = allMembers(found, spot, context)
      const [member, ...others] = members
      if (member === undefined) return undefined
      const place = others[0]?.place ?? member.place
      const rule = Object.hasOwn(kinds, member.key) ? kinds[member.key] : undefined
      if (rule === undefined || others.length > 0) {
        const seen = members.map(({ key }) => JSON.stringify(key)).join(' and ')
        addMistake(context.report, place, `${spot.name} is ${seen}`, `one of ${names}`)
        return undefined
      }
      const inner = { name: `${spot.name}.${member.key}`, place: member.place }
      const read = rule.read([member], inner, context)
      return read === undefined ? undefined : { kind: member.key, read, place: member.place }
    },
  }
}

const endpointKeys = section({
  acme: optional(ifWritten(oldAcme), 'deprecated: SPIRE’s old place of profile.https_web.acme'),
  address: withDefault(host(), '0.0.0.0', 'address of the bundle endpoint'),
  port: withDefault(port(), '443', 'port of the bundle endpoint'),
  refresh_hint: withDefault(seconds(), '5m', 'how often others should look for a newer bundle'),
  profile: optional(
    oneOf({ https_spiffe: section({}), https_web: webServer }),
    'how the endpoint proves who it is; https_spiffe when left out',
  ),
})

const bundleEndpoint = refine(ifWritten(endpointKeys), (read, context) => {
  const { profile, address, port, refresh_hint: refreshHintSeconds } = read
  if (address === undefined || port === undefined || refreshHintSeconds === undefined) return
  const common = { address, port, refreshHintSeconds }
  if (read.acme !== undefined) {
    const place = placeOf(read, 'acme')
    if (profile !== undefined) {
      const message = 'federation.bundle_endpoint has both acme and profile'
      addMistake(context.report, place, message, 'acme inside of profile "https_web"')
      return
    }
    const why = 'federation.bundle_endpoint.acme is deprecated: it belongs into profile "https_web"'
    addWarning(context.report, place, why)
    const certificate = orderedBy(read.acme)
    return { settings: { ...common, profile: { kind: 'https_web' as const, certificate } } }
  }
  if (profile?.kind !== 'https_web') {
    return { settings: { ...common, profile: { kind: 'https_spiffe' as const } } }
  }
  // oneOf read it by the section of this name.
  const certificate = certificateOf(profile.read as Read<(typeof webServer)['keys']>)
  if (certificate === undefined) {
    const message = 'federation.bundle_endpoint.profile.https_web has no certificate, or two'
    addMistake(context.report, profile.place, message, 'one of acme and serving_cert_file')
    return
  }
  return { settings: { ...common, profile: { kind: 'https_web' as const, certificate } } }
})

function certificateOf({
  acme: ordered,
  serving_cert_file: files,
}: Read<(typeof webServer)['keys']>): EndpointCertificate | undefined {
  if ((ordered === undefined) === (files === undefined)) return undefined
  if (files !== undefined) return { kind: 'files', files: certificateFilesOf(files) }
  return ordered === undefined ? undefined : orderedBy(ordered)
}

function orderedBy({
  directory_url: directoryUrl,
  email,
  tos_accepted: isTosAccepted,
  domain_name,
}: Read<(typeof acme)['keys']>): EndpointCertificate {
  const account = { directoryUrl, email, isTosAccepted }
  // A name that is no text was reported, and then nobody uses this.
  return { kind: 'acme', account, domain: String(domain_name).toLowerCase() }
}

const spiffeClient = section({
  endpoint_spiffe_id: required(spiffeIdValue(), 'SPIFFE ID of the endpoint'),
})

const relationshipKeys = section({
  bundle_endpoint_url: required(text('an https URL'), 'where the bundle is served'),
  bundle_endpoint_profile: required(
    oneOf({ https_spiffe: spiffeClient, https_web: section({}) }),
    'how that endpoint proves who it is',
  ),
})

/** `federates_with "<trust domain>" { … }`, as often as there are trust domains. */
const federatesWith: Rule<readonly FederationRelationship[]> & { readonly keys: Keys } = {
  keys: { '"trust domain"': nest(relationshipKeys, 'one block for each trust domain') },
  expected: 'a block for each trust domain',
  read: (found, spot, context) => {
    const groups = Map.groupBy(allMembers(found, spot, context), ({ key }) => key)
    return [...groups].flatMap(([name, members]) => {
      const [first] = members
      if (first === undefined) return []
      const inner = { name: `${spot.name}.${name}`, place: first.place }
      reportRepeated(members, inner, context)
      const read = relationship(name, first, inner, context)
      return read === undefined ? [] : [read]
    })
  },
}

function relationship(
  name: string,
  member: Member,
  spot: Spot,
  context: Context,
): FederationRelationship | undefined {
  const read = relationshipKeys.read([member], spot, context)
  const profile = read?.bundle_endpoint_profile
  if (read?.bundle_endpoint_url === undefined || profile === undefined) return undefined
  try {
    const trustDomain = parseTrustDomain(name)
    const endpointUrl = checkEndpointUrl(read.bundle_endpoint_url)
    if (profile.kind === 'https_web') {
      return { trustDomain, endpointUrl, profile: { kind: 'https_web' } }
    }
    // oneOf read it by the section of this name.
    const { endpoint_spiffe_id: endpointId } = profile.read as Read<(typeof spiffeClient)['keys']>
    return { trustDomain, endpointUrl, profile: { kind: 'https_spiffe', endpointId } }
  } catch (error) {
    addRefusal(context.report, placeOf(read, 'bundle_endpoint_url'), spot.name, error)
    return undefined
  }
}

export const federation = section({
  bundle_endpoint: optional(bundleEndpoint, 'serve this trust domain’s bundle'),
  federates_with: nest(federatesWith, 'bundle endpoints of other trust domains'),
})

export function federationConfig(read: Read<(typeof federation)['keys']>): FederationConfig {
  return { endpoint: read.bundle_endpoint?.settings, relationships: read.federates_with }
}
