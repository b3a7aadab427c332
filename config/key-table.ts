/** Lists the keys of a configuration, for the tables in the documentation and the test of them. */
import type { Keys, Rule } from './check.ts'
import { whyNotOffered } from './not-offered.ts'
import type { PluginTypes } from './plugins.ts'

export interface KeyRow {
  /** Dotted: `server.ca_subject.country`. */
  readonly name: string
  readonly about: string
  /** As written in a file; `required` where there is none, undefined where nothing is chosen. */
  readonly fallback: string | undefined
  readonly expected: string
  readonly unit: string | undefined
  /** `implemented`, or why it is not. */
  readonly status: string
}

/** @param prefix the section's own name; empty for the whole file */
export function listKeys(keys: Keys, prefix: string): readonly KeyRow[] {
  return Object.entries(keys).flatMap(([key, { about, fallback, status, rule }]) => {
    const name = prefix === '' ? key : `${prefix}.${key}`
    if (hasKeys(rule)) return listKeys(rule.keys, name)
    return [{ name, about, fallback, expected: rule.expected, unit: rule.unit, status }]
  })
}

/** One row for each plugin, and one for each key of those that are offered. */
export function listPlugins(types: PluginTypes): readonly KeyRow[] {
  return Object.entries(types).flatMap(([type, { offered, planned }]) => [
    ...Object.entries(offered).flatMap(([plugin, { keys }]) => [
      pluginRow(`plugins.${type}.${plugin}`, 'implemented'),
      ...listKeys(keys, `plugins.${type}.${plugin}`),
    ]),
    ...planned.map((plugin) => pluginRow(`plugins.${type}.${plugin}`, whyNotOffered(plugin))),
  ])
}

function pluginRow(name: string, status: string): KeyRow {
  return {
    name,
    about: 'plugin',
    fallback: undefined,
    expected: 'an object',
    unit: undefined,
    status,
  }
}

function hasKeys(rule: Rule<unknown>): rule is Rule<unknown> & { readonly keys: Keys } {
  return 'keys' in rule
}
