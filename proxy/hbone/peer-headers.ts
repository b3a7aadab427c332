/**
 * What the ends of a tunnel tell each other of themselves. Informative only: no decision is ever made by it, for nobody has
 * verified it.
 *
 * @see HBONE — baggage, forwarded; W3C Baggage; RFC 7239 §4
 */
import type { Party } from '../telemetry/parties.ts'

/** Characters of a value; the rest is cut off. */
const MAX_VALUE_CHARS = 256

/** The workload in the keys that the mesh reads; empty when nothing is known of it. */
export function baggageOf({ namespace, workload, app, version }: Party): string {
  const members: readonly (readonly [string, string | undefined])[] = [
    ['k8s.namespace.name', namespace],
    ['k8s.pod.name', workload],
    ['service.name', app ?? workload],
    ['service.version', version],
  ]
  return members
    .flatMap(([key, value]) =>
      value === undefined || value === ''
        ? []
        : [`${key}=${encodeURIComponent(value.slice(0, MAX_VALUE_CHARS))}`],
    )
    .join(',')
}

/** @param client `ip:port` of whoever connected to us; @param service the destination's name, where it is known */
export function forwardedFor(client: string, service: string | undefined): string {
  const host = service === undefined || !/^[\w.-]+$/.test(service) ? '' : `;host=${service}`
  return `for="${client}"${host}`
}
