/** What an attested certificate says about its node. Names of other trust domains say nothing here. */
import { createHash } from 'node:crypto'
import type { TrustDomain } from '../../spiffe/id.ts'
import { type Selector, selector } from '../../spiffe/selector.ts'
import type { Certificate } from '../../spiffe/x509/certificate.ts'
import { commonNameOf } from '../../spiffe/x509/name.ts'

/** `x509pop://<trust domain>/<key>/<value>`; the value may have slashes. */
const NAME = /^x509pop:\/\/(?<domain>[^/?#]*)\/(?<key>[^/?#]+)\/(?<value>[^?#]+)/i

/**
 * @param issuers the authority and every intermediate
 * @see https://github.com/spiffe/spire/blob/main/doc/plugin_server_nodeattestor_x509pop.md — selectors
 */
export function x509PopSelectors(
  leaf: Certificate,
  issuers: readonly Certificate[],
  trustDomain: TrustDomain,
): readonly Selector[] {
  const commonName = commonNameOf(leaf.subject)
  return [
    ...(commonName === undefined ? [] : [`subject:cn:${commonName}`]),
    ...issuers.map((issuer) => `ca:fingerprint:${fingerprintOf(issuer)}`),
    `serialnumber:${leaf.serialHex}`,
    ...leaf.uriSans.flatMap((uri) => nameSelector(uri, trustDomain)),
  ].map((value) => selector('x509pop', value))
}

/** SHA-1, as SPIRE's. It names what was verified by other means; nothing rests on its collisions. */
export function fingerprintOf({ der }: Pick<Certificate, 'der'>): string {
  return createHash('sha1').update(der).digest('hex')
}

function nameSelector(uri: string, trustDomain: TrustDomain): readonly string[] {
  const { domain, key, value } = NAME.exec(uri)?.groups ?? {}
  if (domain !== trustDomain || key === undefined || value === undefined) return []
  try {
    return [`san:${decodeURIComponent(key)}:${decodeURIComponent(value)}`]
  } catch {
    return [] // an escape that is none: a name that cannot be read is not guessed
  }
}
