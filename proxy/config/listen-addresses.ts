/**
 * Whether the addresses of a configuration go together: two listeners at one would answer for each other, and a listener that
 * is its own upstream would call itself for ever.
 */
import { isIP } from 'node:net'
import { type Address, showAddress } from '../../config/address.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { ProxyConfig } from '../config.ts'

interface Listening {
  readonly key: string
  readonly listen: Address
}

/** @throws IdentityError CONFIG_INVALID */
export function checkListenAddresses(path: string, config: ProxyConfig): void {
  const all = listeningOf(config)
  for (const [index, one] of all.entries()) {
    const first = all.slice(0, index).find(({ listen }) => isSamePlace(listen, one.listen))
    if (first === undefined) continue
    const seen = `${first.key} has ${showAddress(one.listen)} already`
    throw invalid(`${path}: ${seen}; choose another ${one.key}`)
  }
  for (const { name, listen, upstream } of [...config.inbound, ...config.outbound]) {
    if (showAddress(listen) !== showAddress(upstream)) continue
    const seen = `the block ${JSON.stringify(name)} has ${showAddress(upstream)} as listen and as upstream`
    throw invalid(`${path}: ${seen} (expected another upstream: it would call itself)`)
  }
}

function listeningOf({ inbound, outbound, hbone, admin }: ProxyConfig): readonly Listening[] {
  return [
    ...inbound.map(({ name, listen }) => ({ key: `proxy.inbound.${name}.listen`, listen })),
    ...outbound.map(({ name, listen }) => ({ key: `proxy.outbound.${name}.listen`, listen })),
    ...(hbone === undefined ? [] : [{ key: 'proxy.hbone.listen', listen: hbone.listen }]),
    ...(admin === undefined ? [] : [{ key: 'proxy.admin.listen', listen: admin }]),
  ]
}

/** Any free port is another one each time. */
function isSamePlace(one: Address, other: Address): boolean {
  if (one.kind === 'unix' || other.kind === 'unix') return showAddress(one) === showAddress(other)
  if (one.port !== other.port || one.port === 0) return false
  return covers(one.host, other.host) || covers(other.host, one.host)
}

/** `::` is every address of either family, `0.0.0.0` every one of its own. */
const covers = (one: string, other: string): boolean =>
  one === other || one === '::' || (one === '0.0.0.0' && isIP(other) === 4)

function invalid(message: string): IdentityError {
  return new IdentityError('CONFIG_INVALID', message)
}
