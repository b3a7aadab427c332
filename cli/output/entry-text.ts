/** Registration entries for people: the lines that `spire-server entry show` prints, which scripts look for. */
import type { Entry } from '../../proto/gen/spire/api/types/Entry.ts'
import type { SPIFFEID } from '../../proto/gen/spire/api/types/SPIFFEID.ts'
import { fromUnixSeconds } from '../../spiffe/clock.ts'
import { formatUtc } from './go-time.ts'

const LABEL_WIDTH = 24

/** Ends with an empty line. */
export function entryText(entry: Entry): string {
  const line = (label: string, value: string | number | boolean) =>
    `${label.padEnd(LABEL_WIDTH)}: ${value}\n`
  const ifSet = (label: string, value: string | boolean) =>
    value === false || value === '' ? '' : line(label, value)
  const ttl = (seconds: number) => (seconds === 0 ? 'default' : seconds)
  const { expires_at: expiresAt, additional_attributes: more } = entry
  return [
    line('Entry ID', entry.id === '' ? '(none)' : entry.id),
    line('SPIFFE ID', idText(entry.spiffe_id)),
    line('Parent ID', idText(entry.parent_id)),
    line('Revision', entry.revision_number),
    ifSet('Downstream', entry.downstream),
    line('X509-SVID TTL', ttl(entry.x509_svid_ttl)),
    line('JWT-SVID TTL', ttl(entry.jwt_svid_ttl)),
    expiresAt === 0 ? '' : line('Expiration time', formatUtc(fromUnixSeconds(expiresAt))),
    ...entry.selectors.map(({ type, value }) => line('Selector', `${type}:${value}`)),
    ...entry.federates_with.map((name) => line('FederatesWith', name)),
    ...entry.dns_names.map((name) => line('DNS name', name)),
    ifSet('Admin', entry.admin),
    ifSet('StoreSvid', entry.store_svid),
    ifSet('Hint', entry.hint),
    ifSet('DisableX509SvidPrefetch', more?.disable_x509_svid_prefetch ?? false),
    ifSet('JwtSvidIncludeJti', more?.jwt_svid_include_jti ?? false),
    '\n',
  ].join('')
}

/** Empty for an ID that is not there. */
export function idText(id: SPIFFEID | null): string {
  return id === null ? '' : `spiffe://${id.trust_domain}${id.path}`
}
