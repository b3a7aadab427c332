/**
 * How an agent comes to trust the server before it has a bundle: exactly one source, or none by the
 * operator's explicit word. Fails closed: without a choice, and with two, there is no configuration.
 */
import { type Context, placeOf, type Unsure } from '../../config/check.ts'
import { addMistake } from '../../config/mistake.ts'

export type BundleFormat = 'pem' | 'spiffe'

export type Bootstrap =
  | { readonly kind: 'file'; readonly path: string; readonly format: BundleFormat }
  /** Always https, checked against the roots of the system. */
  | { readonly kind: 'url'; readonly url: string; readonly format: BundleFormat }
  /** The first server that answers is believed. */
  | { readonly kind: 'insecure' }

/** The keys that take part, as read. */
export interface BootstrapKeys {
  readonly insecure_bootstrap: boolean
  readonly trust_bundle_format: BundleFormat
  readonly trust_bundle_path: string | undefined
  readonly trust_bundle_url: string | undefined
}

type Written = Unsure<BootstrapKeys> & Parameters<typeof placeOf>[0]

const CHOICES = 'trust_bundle_path, trust_bundle_url or insecure_bootstrap'

/** @returns undefined after reporting a mistake */
export function readBootstrap(read: Written, { report }: Context): Bootstrap | undefined {
  const { trust_bundle_path: path, trust_bundle_url: url, trust_bundle_format: format } = read
  const chosen = [
    ...(path === undefined ? [] : ['trust_bundle_path']),
    ...(url === undefined ? [] : ['trust_bundle_url']),
    ...(read.insecure_bootstrap === true ? ['insecure_bootstrap'] : []),
  ]
  const [first, second] = chosen
  if (first === undefined) {
    const message = 'agent has no way to trust the server at first'
    addMistake(report, placeOf(read, ''), message, CHOICES)
    return undefined
  }
  if (second !== undefined) {
    const message = `agent.${chosen.join(' and agent.')} exclude each other`
    addMistake(report, placeOf(read, second), message, `one of ${CHOICES}`)
    return undefined
  }
  if (url !== undefined && !isHttps(url)) {
    // The address may hold a password, so it is not shown.
    const message = 'agent.trust_bundle_url is no https URL'
    addMistake(report, placeOf(read, 'trust_bundle_url'), message, 'https:// and a host')
    return undefined
  }
  if (format === undefined) return undefined
  if (path !== undefined) return { kind: 'file', path, format }
  return url === undefined ? { kind: 'insecure' } : { kind: 'url', url, format }
}

function isHttps(url: string): boolean {
  const parsed = URL.parse(url)
  return parsed !== null && parsed.protocol === 'https:' && parsed.hostname !== ''
}
