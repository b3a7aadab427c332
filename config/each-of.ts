/** A list of objects, each read by the same section. HCL's repeated blocks are read as the list that they are to SPIRE. */
import type { Keys, Read, Rule, Section } from './check.ts'
import { addMistake } from './mistake.ts'
import { type ConfigNode, showKind } from './tree.ts'

/** In one list. */
const MAX_ITEMS = 1_000

export function eachOf<S extends Keys>(
  item: Section<S>,
): Rule<readonly Read<S>[]> & { readonly keys: S } {
  return {
    keys: item.keys,
    expected: 'a list of objects',
    read: (found, spot, context) => {
      const nodes = found.flatMap(({ value }) => (value.kind === 'list' ? value.items : [value]))
      if (nodes.length > MAX_ITEMS) {
        const message = `${spot.name} has ${nodes.length} items`
        addMistake(context.report, spot.place, message, `at most ${MAX_ITEMS}`)
        return undefined
      }
      return nodes.flatMap((value: ConfigNode, index) => {
        const { place } = value
        const name = `${spot.name}.${index}`
        if (value.kind !== 'object') {
          addMistake(context.report, place, `${name} is ${showKind(value)}`, 'an object')
          return []
        }
        const read = item.read([{ key: '', value, place }], { name, place }, context)
        return read === undefined ? [] : [read]
      })
    },
  }
}
