/**
 * How an agent comes to trust the server before it has a bundle: exactly one source, or none by the
 * operator's explicit word. Fails closed: without a choice, and with two, there is no configuration.
 */
import { type Context, placeOf, type Unsure } from '../../config/check.ts'
import { addMistake, addRefusal } from '../../config/mistake.ts'
import { type EndpointAddress, parseEndpointAddress } from '../../proto/endpoint-address.ts'
import type { RebootstrapMode } from '../node/rebootstrap.ts'

export type BundleFormat = 'pem' | 'spiffe'

export type Bootstrap =
  | { readonly kind: 'file'; readonly path: string; readonly format: BundleFormat }
  /** Always https, checked against the roots of the system. */
  | { readonly kind: 'url'; readonly url: string; readonly format: BundleFormat }
  /** Always http, over a Unix socket of this machine, whose owner vouches for what it says. */
  | {
      readonly kind: 'socket-url'
      readonly url: string
      readonly socketPath: string
      readonly format: BundleFormat
    }
  /** The bundle of the trust domain that this Workload API gives. */
  | { readonly kind: 'workload-api'; readonly address: EndpointAddress }
  /** The first server that answers is believed. */
  | { readonly kind: 'insecure' }

/** The keys that take part, as read. */
export interface BootstrapKeys {
  readonly insecure_bootstrap: boolean
  readonly rebootstrap_mode: RebootstrapMode
  readonly trust_bundle_format: BundleFormat
  readonly trust_bundle_path: string | undefined
  readonly trust_bundle_spiffe_workload_api: string | undefined
  readonly trust_bundle_unix_socket: string | undefined
  readonly trust_bundle_url: string | undefined
}

type Written = Unsure<BootstrapKeys> & Parameters<typeof placeOf>[0]

const SOURCES = [
  'trust_bundle_path',
  'trust_bundle_url',
  'trust_bundle_spiffe_workload_api',
] as const
const CHOICES = `${SOURCES.join(', ')} or insecure_bootstrap`

/** @returns undefined after reporting a mistake */
export function readBootstrap(read: Written, { report }: Context): Bootstrap | undefined {
  const mistake = (key: string, message: string, expected: string) => {
    addMistake(report, placeOf(read, key), message, expected)
    return undefined
  }
  const isInsecure = read.insecure_bootstrap === true
  const chosen = [
    ...SOURCES.filter((key) => read[key] !== undefined),
    ...(isInsecure ? ['insecure_bootstrap'] : []),
  ]
  const [first, second] = chosen
  if (first === undefined) {
    return mistake('', 'agent has no way to trust the server at first', CHOICES)
  }
  if (second !== undefined) {
    const message = `agent.${chosen.join(' and agent.')} exclude each other`
    return mistake(second, message, `one of ${CHOICES}`)
  }
  if (isInsecure && read.rebootstrap_mode !== undefined && read.rebootstrap_mode !== 'never') {
    // Fails closed: whoever answered at the right moment would be believed instead of the server.
    const message = 'agent.rebootstrap_mode and agent.insecure_bootstrap exclude each other'
    return mistake('rebootstrap_mode', message, `rebootstrap_mode "never", or one of ${CHOICES}`)
  }
  if (read.trust_bundle_unix_socket !== undefined && read.trust_bundle_url === undefined) {
    const message = 'agent.trust_bundle_unix_socket is set without agent.trust_bundle_url'
    return mistake('trust_bundle_unix_socket', message, 'both or none of them')
  }
  return source(read, { report, mistake })
}

interface SourceDeps extends Pick<Context, 'report'> {
  mistake(key: string, message: string, expected: string): undefined
}

function source(read: Written, { report, mistake }: SourceDeps): Bootstrap | undefined {
  const {
    trust_bundle_format: format,
    trust_bundle_path: path,
    trust_bundle_spiffe_workload_api: workloadApi,
    trust_bundle_unix_socket: socketPath,
    trust_bundle_url: url,
  } = read
  if (workloadApi !== undefined) {
    const key = 'trust_bundle_spiffe_workload_api'
    try {
      return { kind: 'workload-api', address: parseEndpointAddress(workloadApi, key) }
    } catch (error) {
      addRefusal(report, placeOf(read, key), `agent.${key}`, error)
      return undefined
    }
  }
  // The address may hold a password, so it is not shown.
  const urlMistake = (why: string, expected: string) =>
    mistake('trust_bundle_url', `agent.trust_bundle_url ${why}`, expected)
  if (url !== undefined && socketPath === undefined && !isFor('https:', url)) {
    return urlMistake('is no https URL', 'https:// and a host')
  }
  if (url !== undefined && socketPath !== undefined) {
    if (!isFor('http:', url)) {
      return urlMistake('is no http URL', 'http:// and a host, beside trust_bundle_unix_socket')
    }
    const taken = reservedParameter(url)
    if (taken !== undefined) {
      return urlMistake(`has the parameter ${taken}, which the agent sets`, 'other names')
    }
  }
  if (format === undefined) return undefined
  if (path !== undefined) return { kind: 'file', path, format }
  if (url === undefined) return { kind: 'insecure' }
  return socketPath === undefined
    ? { kind: 'url', url, format }
    : { kind: 'socket-url', url, socketPath, format }
}

function isFor(protocol: 'http:' | 'https:', url: string): boolean {
  const parsed = URL.parse(url)
  return parsed !== null && parsed.protocol === protocol && parsed.hostname !== ''
}

function reservedParameter(url: string): string | undefined {
  const names = [...(URL.parse(url)?.searchParams.keys() ?? [])]
  return names.find((name) => name.startsWith('spire-') || name.startsWith('spiffe-'))
}
