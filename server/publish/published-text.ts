/**
 * A bundle as publishers write it: the SPIFFE document, a JWK set without what is SPIFFE's own, or PEM of the X.509
 * authorities alone.
 *
 * @see SPIFFE-Trust-Domain-and-Bundle §4 — the document
 */
import { formatBundleDocument } from '../../spiffe/bundle/jwks.ts'
import { formatBundlePem } from '../../spiffe/bundle/pem.ts'
import type { Bundle } from '../../spiffe/bundle.ts'

export type PublishedFormat = 'spiffe' | 'jwks' | 'pem'

export interface PublishedText {
  readonly text: string
  readonly contentType: string
}

/** @param refreshHintSeconds replaces that of the bundle; undefined leaves it */
export function publishedText(
  bundle: Bundle,
  format: PublishedFormat,
  refreshHintSeconds: number | undefined,
): PublishedText {
  switch (format) {
    case 'spiffe': {
      const hinted = {
        ...bundle,
        refreshHintSeconds: refreshHintSeconds ?? bundle.refreshHintSeconds,
      }
      return { text: `${formatBundleDocument(hinted)}\n`, contentType: 'application/json' }
    }
    case 'jwks':
      return { text: `${jwkSet(bundle)}\n`, contentType: 'application/json' }
    case 'pem':
      return { text: formatBundlePem(bundle), contentType: 'application/x-pem-file' }
  }
}

function jwkSet(bundle: Bundle): string {
  // Cast: it is our own document, which has a list of keys.
  const { keys } = JSON.parse(formatBundleDocument(bundle)) as {
    readonly keys: readonly Readonly<Record<string, unknown>>[]
  }
  return JSON.stringify({ keys: keys.map(({ use: _, ...key }) => key) })
}
