/**
 * Matchers of who calls: the names in the SPIFFE ID of a verified peer, and addresses.
 *
 * Two readings of an ID exist. Envoy's looks for `ns` and `sa` anywhere in the path; ztunnel's takes only
 * `<domain>/ns/<namespace>/sa/<account>`. Principals are compared as a whole in both, whatever the path looks like.
 */
import type { Matcher } from './clause.ts'
import { blockHolds, blockKey, parseIpBlock } from './ip-block.ts'
import { type Key, keysOf, setTest, textSet } from './text-set.ts'
import { ipOf, type PeerNames, peerOf, type View } from './view.ts'

const exact = (text: string): Key => ({ kind: 'exact', text })

/** `<domain>/ns/…/sa/…` without `spiffe://`; with it, a value matches nobody. */
export function matchPrincipals(values: readonly string[]): Matcher {
  const set = textSet(values)
  const keys = keysOf(set)
  const holds = setTest(set)
  return {
    matches: ({ principal }) => principal !== undefined && holds(principal),
    seen: ({ principal }) => principal,
    keys: keys === undefined ? [] : [{ dimension: 'principal', keys }],
  }
}

/** Envoy's reading: `/ns/<value>/` anywhere in the ID, where a star is any text, slashes included. */
export function matchNamespaces(values: readonly string[]): Matcher {
  const isPlain = (value: string) => !/[*/]/.test(value)
  const plain = new Set(values.filter(isPlain))
  const patterns = values
    .filter((value) => !isPlain(value))
    .map((value) => `/ns/${value}/`.split('*'))
  const names = (peer: PeerNames) => peer.namespaces.map(({ name }) => name)
  return {
    matches: (view) => {
      const peer = peerOf(view)
      if (peer === undefined) return false
      if (peer.namespaces.some(({ name }) => plain.has(name))) return true
      return patterns.some((pieces) => occurInOrder(pieces, `/${view.principal}`))
    },
    seen: (view) => {
      const peer = peerOf(view)
      return peer && (names(peer).join(', ') || undefined)
    },
    keys: patterns.length > 0 ? [] : [{ dimension: 'namespace', keys: [...plain].map(exact) }],
  }
}

/** The pieces of a pattern that may have anything before, between and behind them. */
function occurInOrder(pieces: readonly string[], text: string): boolean {
  let from = 0
  for (const piece of pieces) {
    const found = text.indexOf(piece, from)
    if (found === -1) return false
    from = found + piece.length
  }
  return true
}

/** ztunnel's reading. */
export function matchPlainNamespaces(values: readonly string[]): Matcher {
  const holds = setTest(textSet(values))
  const name = (view: View) => peerOf(view)?.plain?.namespace
  return {
    matches: (view) => {
      const namespace = name(view)
      return namespace !== undefined && holds(namespace)
    },
    seen: name,
    keys: [],
  }
}

interface Account {
  readonly namespace: string
  readonly account: string
}

/** `account` alone is one of the policy's own namespace. */
function accountsIn(values: readonly string[], ownNamespace: string): readonly Account[] {
  return values.map((value) => {
    const slash = value.indexOf('/')
    return slash === -1
      ? { namespace: ownNamespace, account: value }
      : { namespace: value.slice(0, slash), account: value.slice(slash + 1) }
  })
}

/** Envoy's reading: `/ns/<namespace>/` and behind it `sa/<account>`, other pairs around them allowed; any domain. */
export function matchServiceAccounts(values: readonly string[], ownNamespace: string): Matcher {
  const wanted = accountsIn(values, ownNamespace)
  const isOf = ({ namespaces, accounts }: PeerNames, { namespace, account }: Account) => {
    // The trust domain stands at 0 and is no part of the path.
    const first = namespaces.find(({ name, at }) => at > 0 && name === namespace)
    const last = accounts.findLast(({ name }) => name === account)
    return first !== undefined && last !== undefined && last.at >= first.at + 2
  }
  return {
    matches: (view) => {
      const peer = peerOf(view)
      return peer !== undefined && wanted.some((account) => isOf(peer, account))
    },
    seen: ({ principal }) => principal,
    keys: [
      { dimension: 'accountNamespace', keys: wanted.map(({ namespace }) => exact(namespace)) },
      { dimension: 'accountName', keys: wanted.map(({ account }) => exact(account)) },
    ],
  }
}

/** ztunnel's reading. */
export function matchPlainServiceAccounts(
  values: readonly string[],
  ownNamespace: string,
): Matcher {
  const wanted = accountsIn(values, ownNamespace)
  return {
    matches: (view) => {
      const plain = peerOf(view)?.plain
      return (
        plain !== undefined &&
        wanted.some(
          ({ namespace, account }) => namespace === plain.namespace && account === plain.account,
        )
      )
    },
    seen: ({ principal }) => principal,
    keys: [],
  }
}

/** The ID of a trust domain itself, without a path, is nobody's. */
export function matchTrustDomains(values: readonly string[]): Matcher {
  const set = textSet(values)
  const keys = keysOf(set)
  const holds = setTest(set)
  const domain = (view: View) =>
    view.principal?.includes('/') ? peerOf(view)?.trustDomain : undefined
  return {
    matches: (view) => {
      const name = domain(view)
      return name !== undefined && holds(name)
    },
    seen: domain,
    keys: keys === undefined ? [] : [{ dimension: 'trustDomain', keys }],
  }
}

/** Addresses and CIDR blocks. Values that are neither have been refused by the parser. */
export function matchIps(
  which: 'sourceIp' | 'remoteIp' | 'destinationIp',
  values: readonly string[],
): Matcher {
  const blocks = values.map(parseIpBlock).filter((block) => block !== undefined)
  return {
    matches: (view) => {
      const address = ipOf(view, which)
      return address !== undefined && blocks.some((block) => blockHolds(block, address))
    },
    seen: ({ connection }) => connection[which],
    keys: [{ dimension: which, keys: blocks.map((block) => exact(blockKey(block, block.bits))) }],
  }
}
