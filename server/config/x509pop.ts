/**
 * The keys of the x509pop node attestor. The CA bundle is read with the configuration, so that a wrong path is found
 * before anything opens.
 *
 * @see https://github.com/spiffe/spire/blob/main/doc/plugin_server_nodeattestor_x509pop.md
 */
import {
  type Context,
  optional,
  placeOf,
  type Read,
  refine,
  section,
  type Unsure,
  withDefault,
} from '../../config/check.ts'
import { addMistake, addRefusal } from '../../config/mistake.ts'
import { showKind } from '../../config/tree.ts'
import { choice, listOf, text, truth, type Value, value, whole } from '../../config/value.ts'
import { parseCertificate } from '../../spiffe/x509/certificate.ts'
import { fromPem } from '../../spiffe/x509/pem.ts'
import { RSA_BITS } from '../../spiffe/x509/public-key.ts'
import {
  type AgentPathTemplate,
  parseAgentPathTemplate,
  usesField,
} from '../attest/agent-path-template.ts'

export interface X509PopConfig {
  readonly kind: 'x509pop'
  readonly trust: /** PEM of the authorities. */
    | { readonly mode: 'external_pki'; readonly caBundle: string }
    /** `svidPrefix` begins with a slash and does not end with one, or is empty. */
    | { readonly mode: 'spiffe'; readonly svidPrefix: string }
  readonly pathTemplate: AgentPathTemplate
  readonly maxIntermediates: number
  readonly maxRsaBits: number
  readonly verifyClientIp: boolean
}

const DEFAULT_TEMPLATE = {
  external_pki: '/{{ .PluginName }}/{{ .Fingerprint }}',
  spiffe: '/{{ .PluginName }}/{{ .SVIDPathTrimmed }}',
} as const

/** SVIDs below this path may become nodes, unless the configuration names another. */
const DEFAULT_SVID_PREFIX = '/spire-exchange'

/** A chain that is longer is no chain that our path search takes. */
const MAX_INTERMEDIATES = 8

/** An empty one means any path. */
function svidPrefix(): Value<string> {
  return value((node) => {
    if (node.kind !== 'string') return { kind: 'wrong', message: `is ${showKind(node)}` }
    if (node.value !== '' && !node.value.startsWith('/')) {
      return { kind: 'wrong', message: 'does not begin with a slash' }
    }
    return { kind: 'value', value: node.value.replace(/\/+$/, '') }
  }, 'a path such as /spire-exchange, or an empty string')
}

const keys = section({
  agent_path_template: optional(
    text('a path such as /cn/{{ .Subject.CommonName }}'),
    'path of an agent’s ID after /spire/agent; the fingerprint, or the trimmed path with mode spiffe',
  ),
  ca_bundle_path: optional(text('a path'), 'file of the CAs that nodes’ certificates lead to'),
  ca_bundle_paths: withDefault(
    listOf(text('a path'), 'paths'),
    '[]',
    'files of the CAs that nodes’ certificates lead to',
  ),
  max_intermediates: withDefault(
    whole(1, MAX_INTERMEDIATES, `a number from 1 to ${MAX_INTERMEDIATES}`),
    '4',
    'intermediate certificates that a node may send',
  ),
  max_rsa_key_size: withDefault(
    whole(RSA_BITS.min, RSA_BITS.max, `a number from ${RSA_BITS.min} to ${RSA_BITS.max}`, 'bits'),
    '8192',
    'largest RSA key',
  ),
  mode: withDefault(
    choice(['external_pki', 'spiffe']),
    'external_pki',
    'whether CAs of others or the own trust bundle vouch for nodes',
  ),
  spiffe_prefix: optional(svidPrefix(), 'the same as svid_prefix: SPIRE reads this name'),
  svid_prefix: optional(
    svidPrefix(),
    'with mode spiffe: path below which SVIDs are taken from nodes; /spire-exchange when left out',
  ),
  verify_client_ip: withDefault(
    truth(),
    'false',
    'take a certificate only from the address that is an IP SAN of it',
  ),
})

export const x509pop = refine(keys, (read, context) => {
  const trust = readTrust(read, context)
  const pathTemplate = readTemplate(read, context)
  return trust === undefined || pathTemplate === undefined ? undefined : { trust, pathTemplate }
})

type Written = Unsure<Read<(typeof keys)['keys']>>

export function x509PopConfig(data: NonNullable<ReturnType<typeof x509pop.read>>): X509PopConfig {
  return {
    kind: 'x509pop',
    trust: data.trust,
    pathTemplate: data.pathTemplate,
    maxIntermediates: data.max_intermediates,
    maxRsaBits: data.max_rsa_key_size,
    verifyClientIp: data.verify_client_ip,
  }
}

function readTrust(read: Written, context: Context): X509PopConfig['trust'] | undefined {
  const { mode, ca_bundle_path: path, ca_bundle_paths: paths = [] } = read
  const mistake = (key: string, message: string, expected: string) => {
    addMistake(context.report, placeOf(read, key), message, expected)
    return undefined
  }
  const named = path === undefined ? 'ca_bundle_paths' : 'ca_bundle_path'
  const all = path === undefined ? paths : [path]
  if (mode === 'spiffe') {
    if (all.length > 0) return mistake(named, `${named} has no meaning with mode spiffe`, 'neither')
    return { mode, svidPrefix: readPrefix(read, context) }
  }
  if (mode === undefined) return undefined
  if (path !== undefined && paths.length > 0) {
    const message = 'ca_bundle_path and ca_bundle_paths exclude each other'
    return mistake('ca_bundle_paths', message, 'one of them')
  }
  if (all.length === 0) {
    return mistake('', 'x509pop has no CA', 'ca_bundle_path, ca_bundle_paths, or mode spiffe')
  }
  try {
    return { mode, caBundle: all.map((one) => readAuthorities(one, context)).join('\n') }
  } catch (error) {
    addRefusal(context.report, placeOf(read, named), named, error)
    return undefined
  }
}

/** SPIRE's documentation says `svid_prefix`, its program reads `spiffe_prefix`: either is taken, both are a mistake. */
function readPrefix(read: Written, context: Context): string {
  const { svid_prefix: documented, spiffe_prefix: inUse } = read
  if (documented !== undefined && inUse !== undefined) {
    const message = 'svid_prefix and spiffe_prefix are two names of one key'
    addMistake(context.report, placeOf(read, 'spiffe_prefix'), message, 'one of them')
  }
  return inUse ?? documented ?? DEFAULT_SVID_PREFIX
}

/** Every certificate must be one that can be read: one that is silently left out would be a puzzle. */
function readAuthorities(path: string, { readText }: Context): string {
  const pem = readText(path)
  for (const der of fromPem('CERTIFICATE', pem)) parseCertificate(der)
  return pem
}

function readTemplate(read: Written, { report }: Context): AgentPathTemplate | undefined {
  const { mode, agent_path_template: written } = read
  if (mode === undefined) return undefined
  const place = placeOf(read, 'agent_path_template')
  try {
    const template = parseAgentPathTemplate(written ?? DEFAULT_TEMPLATE[mode])
    if (mode === 'spiffe' || !usesField(template, 'SVIDPathTrimmed')) return template
    const message = 'agent_path_template has .SVIDPathTrimmed, which is there with mode spiffe only'
    addMistake(report, place, message)
  } catch (error) {
    addRefusal(report, place, 'agent_path_template', error)
  }
  return undefined
}
