/** X.509-SVIDs for people: the lines that `spire-agent api fetch` prints. Of the key nothing is shown. */
import { formatDuration } from '../../config/duration.ts'
import type { Certificate } from '../../spiffe/x509/certificate.ts'
import { formatUtc } from './go-time.ts'

export interface ShownSvid {
  readonly id: string
  readonly hint: string
  readonly chain: readonly Certificate[]
  readonly bundle: readonly Certificate[]
}

/** By whatever is to stand for the trust domain. */
export type ShownBundles = ReadonlyMap<string, readonly Certificate[]>

/** Ends with an empty line. */
export function svidsText(
  svids: readonly ShownSvid[],
  federatedBundles: ShownBundles,
  tookMs: number,
): string {
  const noun = svids.length === 1 ? 'svid' : 'svids'
  const federated = [...federatedBundles].map(([name, bundle]) =>
    authoritiesText(`[${name}] CA`, bundle),
  )
  return [
    `Received ${svids.length} ${noun} after ${formatDuration(tookMs)}\n`,
    ...svids.map((svid) => `\n${svidText(svid)}${federated.join('')}`),
    '\n',
  ].join('')
}

function svidText({ id, hint, chain, bundle }: ShownSvid): string {
  const [leaf, ...intermediates] = chain
  return [
    `SPIFFE ID:\t\t${id}\n`,
    hint === '' ? '' : `Hint:\t\t\t${hint}\n`,
    leaf === undefined ? '' : validityText('SVID', leaf),
    authoritiesText('Intermediate', intermediates),
    authoritiesText('CA', bundle),
  ].join('')
}

function authoritiesText(label: string, certificates: readonly Certificate[]): string {
  return certificates
    .map((certificate, index) => validityText(`${label} #${index + 1}`, certificate))
    .join('')
}

function validityText(label: string, { notBefore, notAfter }: Certificate): string {
  return `${label} Valid After:\t${formatUtc(notBefore)}\n${label} Valid Until:\t${formatUtc(notAfter)}\n`
}
