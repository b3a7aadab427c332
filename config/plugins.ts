/**
 * The `plugins` section: `Type "name" { plugin_data { … } }`. Each plugin's data is checked by the
 * section declared for it; SPIRE's other plugins are refused by name, programs of the user's always.
 */
import {
  allMembers,
  type Context,
  type Keys,
  optional,
  type Read,
  type Rule,
  reportRepeated,
  reportUnknown,
  type Spot,
  section,
  withDefault,
} from './check.ts'
import { addMistake, addRefusal } from './mistake.ts'
import { nearest } from './nearest.ts'
import { whyNotOffered } from './not-offered.ts'
import { parseConfig } from './parse.ts'
import type { Member } from './tree.ts'
import { listOf, text, truth } from './value.ts'

/** The rule of one plugin's data. */
export type PluginData = Rule<unknown> & { readonly keys: Keys }

type Offered = Readonly<Record<string, PluginData>>

/** One plugin type: what may stand there and how often. */
export interface PluginType<O extends Offered> {
  readonly offered: O
  /** SPIRE's own that are not offered; `whyNotOffered` says why. */
  readonly planned: readonly string[]
  readonly least: number
  readonly most: number
}

export type PluginTypes = Readonly<Record<string, PluginType<Offered>>>

/** An enabled plugin: its name and its data. */
export type Plugin<O> = {
  [N in keyof O & string]: {
    readonly name: N
    /** Its data stands in a `plugin_data_file`. */
    readonly isInFile: boolean
    readonly data: O[N] extends Rule<infer D> ? D : never
  }
}[keyof O & string]

export type Plugins<T extends PluginTypes> = {
  readonly [K in keyof T]: readonly Plugin<T[K]['offered']>[]
}

/** What was found under one key, unread. */
const raw: Rule<readonly Member[]> = { expected: 'an object', read: (found) => found }

const block = section({
  plugin_cmd: optional(text(), 'program of an external plugin'),
  plugin_args: optional(listOf(text(), 'arguments'), 'its arguments'),
  plugin_checksum: optional(text(), 'its SHA-256'),
  enabled: withDefault(truth(), 'true', 'whether the plugin is used'),
  plugin_data: optional(raw, 'its configuration'),
  plugin_data_file: optional(text('a path'), 'file with its configuration'),
})

/** A plugin type of which SPIRE's plugins are known and none is implemented. */
export function noneYet(...planned: readonly string[]) {
  return { offered: {}, planned, least: 0, most: Number.POSITIVE_INFINITY }
}

export function plugins<const T extends PluginTypes>(types: T): Rule<Plugins<T>> & { types: T } {
  return {
    types,
    expected: 'an object',
    read: (found, spot, context) => {
      // SPIRE lets the last of several sections win, which would drop plugins unseen.
      reportRepeated(found, spot, context)
      const place = found[0]?.place ?? spot.place
      const groups = Map.groupBy(allMembers(found.slice(0, 1), spot, context), ({ key }) => key)
      for (const [name, members] of groups) {
        const [first] = members
        if (!Object.hasOwn(types, name) && first !== undefined) {
          reportUnknown(first, spot.name, Object.keys(types), context)
        }
      }
      const chosen = Object.entries(types).map(([name, type]) => {
        const members = groups.get(name) ?? []
        return [name, readType(members, type, { name: `${spot.name}.${name}`, place }, context)]
      })
      // Each list was read by the type of its own name.
      return Object.fromEntries(chosen) as Plugins<T>
    },
  }
}

function readType(
  found: readonly Member[],
  type: PluginTypes[string],
  spot: Spot,
  context: Context,
): readonly unknown[] {
  const groups = Map.groupBy(allMembers(found, spot, context), ({ key }) => key)
  const enabled: { readonly name: string; readonly isInFile: boolean; readonly data: unknown }[] =
    []
  const mistakes = context.report.mistakes.length
  for (const [name, members] of groups) {
    const inner = { name: `${spot.name}.${name}`, place: members[0]?.place ?? spot.place }
    reportRepeated(members, inner, context)
    const read = block.read(members.slice(0, 1), inner, context)
    if (read === undefined || read.enabled === false) continue
    const isInFile = read.plugin_data_file !== undefined
    enabled.push({ name, isInFile, data: readPlugin(name, read, type, inner, context) })
  }
  if (enabled.length < type.least || enabled.length > type.most) {
    reportCount(enabled.length, type, spot, context, mistakes)
  }
  return enabled
}

function readPlugin(
  name: string,
  read: Read<(typeof block)['keys']>,
  type: PluginTypes[string],
  spot: Spot,
  context: Context,
): unknown {
  const { report } = context
  const mistake = (message: string, expected?: string) =>
    addMistake(report, spot.place, `${spot.name} ${message}`, expected)
  const offered = Object.hasOwn(type.offered, name) ? type.offered[name] : undefined
  const names = Object.keys(type.offered).join(', ')
  if (read.plugin_cmd !== undefined) {
    mistake('is an external plugin, and those are not offered', 'it to be removed or disabled')
  } else if (offered !== undefined) {
    return readData(read, offered, spot, context)
  } else if (type.planned.includes(name)) {
    const others = names === '' ? 'it to be removed or disabled' : names
    mistake(`is ${whyNotOffered(name)}`, others)
  } else {
    const meant = nearest(name, [...Object.keys(type.offered), ...type.planned])
    mistake(`is no known plugin${meant === undefined ? '' : ` (did you mean "${meant}"?)`}`, names)
  }
  return undefined
}

function readData(
  read: Read<(typeof block)['keys']>,
  offered: PluginData,
  spot: Spot,
  context: Context,
): unknown {
  const path = read.plugin_data_file
  if (path === undefined) return offered.read(read.plugin_data ?? [], spot, context)
  if ((read.plugin_data ?? []).length > 0) {
    const message = `${spot.name} has plugin_data and plugin_data_file`
    addMistake(context.report, spot.place, message, 'only one of them')
    return undefined
  }
  try {
    const value = parseConfig(path, context.readText(path))
    return offered.read([{ key: 'plugin_data', value, place: value.place }], spot, context)
  } catch (error) {
    addRefusal(context.report, spot.place, `${spot.name}.plugin_data_file`, error)
    return undefined
  }
}

/** A wrong number of plugins, unless a mistake in one of them is the likely cause. */
function reportCount(
  count: number,
  { least, most, offered }: PluginTypes[string],
  spot: Spot,
  { report }: Context,
  mistakes: number,
): void {
  if (report.mistakes.length > mistakes) return
  const wanted = least === most ? `exactly ${least}` : `at least ${least}`
  const names = Object.keys(offered).join(', ')
  addMistake(
    report,
    spot.place,
    `${count} plugins are enabled in ${spot.name}`,
    `${wanted} of ${names}`,
  )
}
