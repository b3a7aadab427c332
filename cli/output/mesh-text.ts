/** Issuance to service meshes for people: what is served, counts, and who was refused and why. */
import type { Cluster } from '../../proto/gen/steeple/server/mesh/v1/Cluster.ts'
import type { GetStatusResponse } from '../../proto/gen/steeple/server/mesh/v1/GetStatusResponse.ts'
import type { Issued } from '../../proto/gen/steeple/server/mesh/v1/Issued.ts'
import type { IstioCa } from '../../proto/gen/steeple/server/mesh/v1/IstioCa.ts'
import type { Linkerd } from '../../proto/gen/steeple/server/mesh/v1/Linkerd.ts'
import type { Refusal } from '../../proto/gen/steeple/server/mesh/v1/Refusal.ts'
import type { Tally } from '../../proto/gen/steeple/server/mesh/v1/Tally.ts'
import { fromUnixSeconds } from '../../spiffe/clock.ts'
import { formatUtc } from './go-time.ts'

/** Of each list; the whole of it is in the JSON. */
const MAX_SHOWN = 20
const LABEL_WIDTH = 24

export function meshText({ istio_ca, linkerd }: GetStatusResponse): string {
  const texts = [
    ...(istio_ca === null || istio_ca === undefined ? [] : [istioCaText(istio_ca)]),
    ...(linkerd === null || linkerd === undefined ? [] : [linkerdText(linkerd)]),
  ]
  return texts.length === 0 ? 'This server issues to no service mesh\n' : texts.join('\n')
}

function istioCaText(ca: IstioCa): string {
  return [
    'Istio CA\n',
    line('Address', ca.address),
    line('DNS names', ca.dns_names.join(', ')),
    ...ca.clusters.map((one) => line('Cluster', clusterText(one, ca.local_cluster))),
    line('Token audiences', ca.token_audiences.join(', ')),
    line('Trusted node accounts', ca.trusted_node_accounts.join(', ') || '(none)'),
    line('Registration', ca.registration),
    tallyText(ca.tally),
  ].join('')
}

function clusterText(
  { name, server, ready, pods, problem }: Cluster,
  localCluster: string,
): string {
  const local = name === localCluster ? ', local' : ''
  const state = ready ? `${pods} pods` : 'pods not known yet'
  const trouble = problem === '' ? '' : `, out of touch: ${problem}`
  return `${name} (${server}${local}): ${state}${trouble}`
}

function linkerdText({ address, name, issuer_expires_at: end, tally }: Linkerd): string {
  return [
    'Linkerd identity\n',
    line('Address', address),
    line('Name', name),
    line('Issuer expires at', formatUtc(fromUnixSeconds(end))),
    tallyText(tally),
  ].join('')
}

function tallyText(tally: Tally | null): string {
  if (tally === null) return ''
  const checks = Object.entries(tally.refused_by_check).map(([check, count]) => `${check} ${count}`)
  const why = checks.length === 0 ? '' : ` (${checks.join(', ')})`
  return [
    line('Issued', tally.issued),
    ...tally.last_issued.slice(0, MAX_SHOWN).map(issuedText),
    line('Refused', `${tally.refused}${why}`),
    ...tally.last_refusals.slice(0, MAX_SHOWN).map(refusalText),
  ].join('')
}

function issuedText({ at, identity, account, address, expires_at: end }: Issued): string {
  const until = formatUtc(fromUnixSeconds(end))
  return `  ${time(at)} ${identity} for ${account} at ${address}, until ${until}\n`
}

function refusalText({ at, check, reason, identity, account, address }: Refusal): string {
  const who = account === '' ? address : `${account} at ${address}`
  const what = identity === '' ? '' : ` for ${JSON.stringify(identity)}`
  // What callers wrote is quoted in the reason already; line breaks are not to look like ours.
  return `  ${time(at)} ${check}: ${who}${what}: ${reason.replace(/\p{Cc}/gu, ' ')}\n`
}

function time(seconds: number): string {
  return formatUtc(fromUnixSeconds(seconds))
}

function line(label: string, value: string | number): string {
  return `${`${label}`.padEnd(LABEL_WIDTH)}: ${value}\n`
}
