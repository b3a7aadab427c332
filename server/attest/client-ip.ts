/** Whether a certificate was made for the address that its holder calls from. Fails closed without an address. */
import ipaddr from 'ipaddr.js'
import type { Certificate } from '../../spiffe/x509/certificate.ts'

/** @param clientIp as the connection has it; undefined when there is none, e.g. on a Unix socket */
export function hasClientIp(
  { ipAddresses }: Pick<Certificate, 'ipAddresses'>,
  clientIp: string | undefined,
): boolean {
  if (clientIp === undefined || !ipaddr.isValid(clientIp)) return false
  const seen = ipaddr.process(clientIp).toString()
  return ipAddresses.some((bytes) => {
    // An IPv4 address within IPv6 is the same address.
    const allowed = ipaddr.process(ipaddr.fromByteArray([...bytes]).toString())
    return allowed.toString() === seen
  })
}
