/**
 * Walks an index of rules along the facts of a decision, and no further than they lead.
 */
import type { Dimension } from './clause.ts'
import { blockKey, type IpAddress } from './ip-block.ts'
import { requestPrincipalKey } from './match-token.ts'
import { radixMatches } from './radix.ts'
import type { Branch, IndexNode, RankedRule } from './rule-index.ts'
import { hostOf, ipOf, peerOf, type View } from './view.ts'

/** Calls `visit` for each place of the index where a matching rule may lie. Some rules come more than once. */
export function visitIndex(
  node: IndexNode,
  view: View,
  visit: (rules: readonly RankedRule[]) => void,
): void {
  if (node.here.length > 0) visit(node.here)
  for (const branch of node.branches) visitBranch(branch, view, visit)
}

function visitBranch(
  branch: Branch,
  view: View,
  visit: (rules: readonly RankedRule[]) => void,
): void {
  switch (branch.dimension) {
    case 'namespace':
    case 'accountNamespace':
      for (const { name } of peerOf(view)?.namespaces ?? []) visitText(branch, name, view, visit)
      break
    case 'accountName':
      for (const { name } of peerOf(view)?.accounts ?? []) visitText(branch, name, view, visit)
      break
    case 'sourceIp':
    case 'remoteIp':
    case 'destinationIp':
      visitBlocks(branch, ipOf(view, branch.dimension), view, visit)
      break
    default:
      visitText(branch, textOf(branch.dimension, view), view, visit)
  }
}

type TextDimension = Exclude<
  Dimension,
  'namespace' | 'accountNamespace' | 'accountName' | 'sourceIp' | 'remoteIp' | 'destinationIp'
>

function textOf(dimension: TextDimension, view: View): string | number | undefined {
  switch (dimension) {
    case 'port':
      return view.connection.destinationPort
    case 'principal':
      return view.principal
    case 'trustDomain':
      return peerOf(view)?.trustDomain
    case 'sni':
      return view.connection.sni
    case 'host':
      return hostOf(view)
    case 'method':
      return view.request?.method
    case 'path':
      return view.request?.path
    case 'requestPrincipal': {
      const token = view.request?.token
      return token && requestPrincipalKey(token.issuer, token.subject)
    }
    default:
      return dimension satisfies never
  }
}

function visitText(
  { exact, prefixes, suffixes }: Branch,
  text: string | number | undefined,
  view: View,
  visit: (rules: readonly RankedRule[]) => void,
): void {
  if (text === undefined) return
  const node = exact.get(text)
  if (node !== undefined) visitIndex(node, view, visit)
  if (typeof text === 'number') return
  if (prefixes !== undefined) {
    for (const found of radixMatches(prefixes, text)) visitIndex(found, view, visit)
  }
  if (suffixes !== undefined) {
    for (const found of radixMatches(suffixes, text)) visitIndex(found, view, visit)
  }
}

function visitBlocks(
  { exact, blockBits }: Branch,
  address: IpAddress | undefined,
  view: View,
  visit: (rules: readonly RankedRule[]) => void,
): void {
  if (address === undefined) return
  const most = address.family === 4 ? 32 : 128
  for (const bits of blockBits) {
    const node = bits <= most ? exact.get(blockKey(address, bits)) : undefined
    if (node !== undefined) visitIndex(node, view, visit)
  }
}
