/**
 * The address of the first client, where trusted proxies stand in front of us and each has appended the address that it saw to
 * X-Forwarded-For. Entries beyond the trusted hops are whatever somebody wrote and are not looked at. Fails closed: without
 * trusted hops, or where the header is too short or no address, the direct peer counts.
 */
import { isIP } from 'node:net'

/** @param lines of X-Forwarded-For, in their order */
export function remoteIpOf(
  lines: readonly string[],
  trustedHops: number,
  sourceIp: string,
): string {
  if (trustedHops === 0 || lines.length === 0) return sourceIp
  const entries = lines.join(',').split(',')
  const entry = entries.at(-trustedHops)?.trim() ?? ''
  const address = /^\[([^\]]*)\]$/.exec(entry)?.[1] ?? entry
  return isIP(address) === 0 ? sourceIp : address
}
