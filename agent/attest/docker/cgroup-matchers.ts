/**
 * Patterns of control groups by which a configuration says where container IDs stand: paths in which `<id>` stands for
 * the ID and `*` for any one name. They are no regular expressions. Of two patterns that could match one path both are
 * refused, so that no order decides. Pure.
 */
import { IdentityError } from '../../../spiffe/error.ts'
import type { CgroupPaths } from '../container/cgroup-paths.ts'

export type CgroupMatchers = readonly Matcher[]

/** The names of a path, one after another. */
type Matcher = readonly string[]

const ID = '<id>'
const ANY = '*'

/** @throws IdentityError CONFIG_INVALID for a pattern without one `<id>`, or that another one overlaps */
export function compileMatchers(patterns: readonly string[]): CgroupMatchers {
  const matchers = patterns.map((pattern) => pattern.split('/'))
  for (const [index, matcher] of matchers.entries()) {
    if (matcher.filter((name) => name === ID).length !== 1) {
      throw invalid(`pattern ${JSON.stringify(patterns[index])} must contain ${ID} exactly once`)
    }
    const other = matchers.slice(0, index).findIndex((before) => overlap(before, matcher))
    if (other !== -1) {
      const both = [patterns[other], patterns[index]].map((pattern) => JSON.stringify(pattern))
      throw invalid(`patterns must not be ambiguous: ${both.join(' and ')} match the same paths`)
    }
  }
  return matchers
}

/**
 * @returns undefined when no pattern matches
 * @throws IdentityError ATTESTATION_FAILED when paths name two containers, or the place of the ID is empty
 */
export function matchContainer(matchers: CgroupMatchers, paths: CgroupPaths): string | undefined {
  const ids = paths.flatMap((path) => match(matchers, path.split('/')) ?? [])
  const [id] = ids
  const other = ids.find((one) => one !== id)
  if (other !== undefined) throw failed(`multiple container IDs found in cgroups (${id}, ${other})`)
  if (id === '') throw failed('a pattern matched, but no container id was found')
  return id
}

function match(matchers: CgroupMatchers, names: readonly string[]): string | undefined {
  const found = matchers.find(
    (matcher) =>
      matcher.length === names.length &&
      matcher.every((name, index) => name === ANY || name === ID || name === names[index]),
  )
  return found === undefined ? undefined : names[found.indexOf(ID)]
}

function overlap(one: Matcher, other: Matcher): boolean {
  const isOpen = (name: string | undefined) => name === ANY || name === ID
  return (
    one.length === other.length &&
    one.every((name, index) => name === other[index] || isOpen(name) || isOpen(other[index]))
  )
}

function invalid(message: string): IdentityError {
  return new IdentityError('CONFIG_INVALID', message)
}

function failed(message: string): IdentityError {
  return new IdentityError('ATTESTATION_FAILED', message)
}
