/**
 * Finds the rules that can match a request without looking at the others: each rule is filed under what it demands
 * most selectively (a principal, a path prefix, a port …), and crowded places are divided again by another demand.
 * A rule is only ever filed where each request that it matches will look, so the index answers as the list would.
 */
import type { Dimension, Keys } from './clause.ts'
import type { Alternative, CompiledRule } from './compiled-rule.ts'
import { buildRadixTree, type RadixTree } from './radix.ts'

/** A rule and its place in the order in which rules are reported. */
export interface RankedRule {
  readonly rank: number
  readonly rule: CompiledRule
}

export interface IndexNode {
  /** To be tried by everybody who comes here, in order of rank. */
  readonly here: readonly RankedRule[]
  readonly branches: readonly Branch[]
}

export interface Branch {
  readonly dimension: Dimension
  readonly exact: ReadonlyMap<string | number, IndexNode>
  readonly prefixes: RadixTree<IndexNode> | undefined
  readonly suffixes: RadixTree<IndexNode> | undefined
  /** Lengths of the CIDR blocks among the exact keys, in bits. */
  readonly blockBits: readonly number[]
}

/** Rules that are tried one by one sooner than divided. */
const MAX_LEAF_RULES = 4
/** Keys under which one rule may be filed; one with more is tried by everybody at that place. */
const MAX_KEYS = 256
/** Places in the whole index; rules that come when it is full are tried by everybody at their place. */
const MAX_PLACES = 1_000_000

export function buildIndex(rules: readonly RankedRule[]): IndexNode {
  return divide(
    rules.map((ranked) => ({ ranked, demands: demandsOf(ranked.rule).map(named) })),
    [],
    { places: MAX_PLACES },
  )
}

/** A demand with a name for each of its keys, which no other key has. */
interface Demand extends Keys {
  readonly names: readonly string[]
}

const named = (demand: Keys): Demand => ({
  ...demand,
  names: demand.keys.map(({ kind, text }) => `${demand.dimension} ${kind} ${text}`),
})

interface Filed {
  readonly ranked: RankedRule
  readonly demands: readonly Demand[]
}

/** What every request that a rule matches has: in each dimension, one of these keys. */
function demandsOf({ from, to, when }: CompiledRule): readonly Keys[] {
  const single = when.flatMap((clause) => clause.keys)
  return [...single, ...sharedDemands(from), ...sharedDemands(to)].filter(
    ({ keys }) => keys.length <= MAX_KEYS,
  )
}

/** A dimension counts when each alternative demands something in it. */
function sharedDemands(alternatives: readonly Alternative[]): readonly Keys[] {
  const [first = [], ...others] = alternatives.map((alternative) =>
    alternative.flatMap((clause) => clause.keys),
  )
  return first.flatMap(({ dimension, keys }) => {
    const rest = others.map((demands) => demands.find((other) => other.dimension === dimension))
    return rest.some((demand) => demand === undefined)
      ? []
      : [{ dimension, keys: [...keys, ...rest.flatMap((demand) => demand?.keys ?? [])] }]
  })
}

const byRank = (one: RankedRule, other: RankedRule): number => one.rank - other.rank

const leaf = (filed: readonly Filed[]): IndexNode => ({
  here: filed.map(({ ranked }) => ranked).sort(byRank),
  branches: [],
})

function divide(
  filed: readonly Filed[],
  used: readonly Dimension[],
  budget: { places: number },
): IndexNode {
  if (filed.length <= MAX_LEAF_RULES) return leaf(filed)
  const crowds = countCrowds(filed, used)
  const here: Filed[] = []
  const groups = new Map<Dimension, Map<string, { key: Keys['keys'][number]; filed: Filed[] }>>()
  for (const entry of filed) {
    const demand = mostSelective(entry, used, crowds, filed.length)
    if (demand === undefined || budget.places < demand.keys.length) {
      here.push(entry)
      continue
    }
    budget.places -= demand.keys.length
    const buckets = groups.get(demand.dimension) ?? new Map()
    groups.set(demand.dimension, buckets)
    for (const [at, key] of demand.keys.entries()) {
      const name = demand.names[at] ?? ''
      const bucket = buckets.get(name) ?? { key, filed: [] }
      buckets.set(name, bucket)
      // Two values may be one key, and filing a rule twice would only cost time.
      if (bucket.filed.at(-1) !== entry) bucket.filed.push(entry)
    }
  }
  return {
    here: leaf(here).here,
    branches: [...groups].map(([dimension, buckets]) =>
      branchOf(
        dimension,
        [...buckets.values()].map(({ key, filed: inside }) => ({
          key,
          node: divide(inside, [...used, dimension], budget),
        })),
      ),
    ),
  }
}

function countCrowds(
  filed: readonly Filed[],
  used: readonly Dimension[],
): ReadonlyMap<string, number> {
  const crowds = new Map<string, number>()
  for (const { demands } of filed) {
    for (const { dimension, names } of demands) {
      if (used.includes(dimension)) continue
      for (const name of names) crowds.set(name, (crowds.get(name) ?? 0) + 1)
    }
  }
  return crowds
}

/** The demand whose most crowded key is the least crowded. None, when everybody would still stand together. */
function mostSelective(
  { demands }: Filed,
  used: readonly Dimension[],
  crowds: ReadonlyMap<string, number>,
  all: number,
): Demand | undefined {
  let best: Demand | undefined
  let bestCrowd = all
  for (const demand of demands) {
    if (used.includes(demand.dimension)) continue
    let crowd = 0
    for (const name of demand.names) crowd = Math.max(crowd, crowds.get(name) ?? 0)
    if (crowd < bestCrowd) {
      best = demand
      bestCrowd = crowd
    }
  }
  return best
}

type Kept = readonly { readonly key: Keys['keys'][number]; readonly node: IndexNode }[]

function branchOf(dimension: Dimension, kept: Kept): Branch {
  const ofKind = (kind: string) => kept.filter(({ key }) => key.kind === kind)
  const tree = (kind: 'prefix' | 'suffix') => {
    const nodes = new Map(ofKind(kind).map(({ key, node }) => [String(key.text), node]))
    return nodes.size === 0 ? undefined : buildRadixTree(kind, nodes)
  }
  const exact = new Map(ofKind('exact').map(({ key, node }) => [key.text, node]))
  const isIp = /Ip$/.test(dimension)
  return {
    dimension,
    exact,
    prefixes: tree('prefix'),
    suffixes: tree('suffix'),
    blockBits: isIp
      ? [...new Set([...exact.keys()].map((text) => Number(String(text).split('/')[1])))]
      : [],
  }
}
