/** Puts command-line flags over the keys of a file: a flag that is given replaces its key. */
import { type ConfigNode, type Member, membersOf, type Place } from './tree.ts'

/** A flag's key in the file and its value; undefined, empty and zero mean that it was not given. */
export interface Flag {
  readonly flag: string
  readonly key: string
  readonly value: string | number | boolean | undefined
}

export function overlayFlags(
  root: ConfigNode,
  section: string,
  flags: readonly Flag[],
): ConfigNode {
  const given = flags.filter(({ value }) => value !== undefined && value !== '' && value !== 0)
  if (given.length === 0) return root
  const replaced = new Set(given.map(({ key }) => key))
  const members = (membersOf(root) ?? []).map((member) =>
    member.key.toLowerCase() === section ? without(member, replaced) : member,
  )
  const place: Place = { kind: 'flag', flag: given[0]?.flag ?? '' }
  const written: ConfigNode = { kind: 'object', members: given.map(flagMember), place }
  return { ...root, kind: 'object', members: [...members, { key: section, value: written, place }] }
}

function without(member: Member, keys: ReadonlySet<string>): Member {
  const members = membersOf(member.value)
  if (members === undefined) return member
  const kept = members.filter(({ key }) => !keys.has(key.toLowerCase()))
  return { ...member, value: { kind: 'object', members: kept, place: member.value.place } }
}

function flagMember({ flag, key, value }: Flag): Member {
  const place: Place = { kind: 'flag', flag }
  if (typeof value === 'boolean') return { key, place, value: { kind: 'bool', value, place } }
  if (typeof value === 'number')
    return { key, place, value: { kind: 'number', text: String(value), place } }
  return { key, place, value: { kind: 'string', value: value ?? '', place } }
}
