/** How the fetching of another trust domain's bundle goes, for people: lines that follow those of SPIRE. */
import type { Standing } from '../../proto/gen/steeple/server/federation/v1/Standing.ts'
import { fromUnixSeconds } from '../../spiffe/clock.ts'
import { quote } from './go-quote.ts'
import { formatUtc } from './go-time.ts'

const LABEL_WIDTH = 26

/** @param now tells what has ended from what will end */
export function standingText(standing: Standing, now: Date): string {
  const { refreshed_at, next_at, failed_at, failure, failures_in_a_row } = standing
  const never = 'not since the server started'
  return [
    line('Last refreshed', refreshed_at === 0 ? never : at(refreshed_at)),
    line('Next refresh', next_at === 0 ? 'at once' : at(next_at)),
    failed_at === 0
      ? ''
      : // The reason may hold what an endpoint chose to say: never as it is.
        line('Last failure', `${at(failed_at)}, ${failures_in_a_row} in a row: ${quote(failure)}`),
    line('Bundle ends first', firstEnd(standing, now)),
  ].join('')
}

/** What stands in the server's configuration, which SPIRE's list leaves out. Begins with an empty line. */
export function configuredText(standing: Standing, now: Date): string {
  const { trust_domain, bundle_endpoint_url } = standing
  return [
    '\n',
    line('Trust domain', trust_domain),
    line('Bundle endpoint URL', bundle_endpoint_url),
    line('Made by', 'the configuration of the server'),
    standingText(standing, now),
  ].join('')
}

function firstEnd({ has_bundle, earliest_expiry }: Standing, now: Date): string {
  if (!has_bundle) return 'there is no bundle yet'
  if (earliest_expiry === 0) return 'never'
  const end = fromUnixSeconds(earliest_expiry)
  return end > now ? at(earliest_expiry) : `${at(earliest_expiry)}, which is past`
}

const at = (seconds: number) => formatUtc(fromUnixSeconds(seconds))

function line(label: string, value: string): string {
  return `${label.padEnd(LABEL_WIDTH)}: ${value}\n`
}
