/**
 * Blocks with names of the user's choice, `inbound "web" { … }`: each is read by the same section. In YAML and JSON the
 * names are the keys of an object. Texts by name, such as labels, are read here too.
 */
import { allMembers, type Keys, nest, type Rule, reportRepeated } from './check.ts'
import { addMistake } from './mistake.ts'
import { showKind } from './tree.ts'

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/

/** How many blocks of one kind there may be, and how many texts in one map. */
const MAX_NAMED = 1_000

/** One block: its name and what stands in it. */
export type Named<T> = T & { readonly name: string }

/** @returns the blocks in the order of the file; a name that comes twice is a mistake */
export function named<T extends object, S extends Keys>(
  block: Rule<T> & { readonly keys: S },
): Rule<readonly Named<T>[]> & { readonly keys: Keys } {
  return {
    keys: { '"name"': nest(block, 'one block of any name') },
    expected: 'blocks with names',
    read: (found, spot, context) => {
      const groups = Map.groupBy(allMembers(found, spot, context), ({ key }) => key)
      if (groups.size > MAX_NAMED) {
        addMistake(
          context.report,
          spot.place,
          `${spot.name} has ${groups.size} blocks`,
          `at most ${MAX_NAMED}`,
        )
      }
      return [...groups].flatMap(([name, members]) => {
        const place = members[0]?.place ?? spot.place
        const inner = { name: `${spot.name}.${name}`, place }
        reportRepeated(members, inner, context)
        if (!NAME.test(name)) {
          addMistake(
            context.report,
            place,
            `${JSON.stringify(name)} is no name`,
            'letters, digits, dots and dashes',
          )
          return []
        }
        const read = block.read(members.slice(0, 1), inner, context)
        return read === undefined ? [] : [{ ...read, name }]
      })
    },
  }
}

/** Texts by name: `labels { app = "cart" }`. */
export function textMap(expected: string): Rule<Readonly<Record<string, string>>> {
  return {
    expected,
    read: (found, spot, context) => {
      const texts: [string, string][] = []
      const members = allMembers(found, spot, context)
      if (members.length > MAX_NAMED) {
        addMistake(
          context.report,
          spot.place,
          `${spot.name} has ${members.length} members`,
          `at most ${MAX_NAMED}`,
        )
      }
      for (const [name, same] of Map.groupBy(members, ({ key }) => key)) {
        reportRepeated(same, { ...spot, name: `${spot.name}.${name}` }, context)
        const [first] = same
        if (first === undefined) continue
        if (first.value.kind === 'string') texts.push([name, first.value.value])
        else {
          addMistake(
            context.report,
            first.place,
            `${spot.name}.${name} is ${showKind(first.value)}`,
            'a string',
          )
        }
      }
      return found.length === 0 ? undefined : Object.fromEntries(texts)
    },
  }
}
