/** Plain trees to compare what the three formats read, and to make up texts from. */
import fc from 'fast-check'
import { expect } from 'vitest'
import type { ConfigNode } from '../../config/tree.ts'
import { IdentityError } from '../../spiffe/error.ts'

/** Numbers are their text; a repeated key is a list of its values. */
export type Plain = string | boolean | readonly Plain[] | { readonly [key: string]: Plain }

/** Takes the places out of a tree. */
export function plain(node: ConfigNode): Plain {
  switch (node.kind) {
    case 'string':
    case 'bool':
      return node.value
    case 'number':
      return node.text
    case 'null':
      return 'null'
    case 'list':
      return node.items.map(plain)
    case 'object': {
      const groups = Map.groupBy(node.members, ({ key }) => key)
      return Object.fromEntries(
        [...groups].map(([key, members]) => {
          const values = members.map(({ value }) => plain(value))
          const [only] = values
          return [key, values.length === 1 && only !== undefined ? only : values]
        }),
      )
    }
    default:
      return node satisfies never
  }
}

const word = fc.string({ unit: 'grapheme', maxLength: 8 })

const { tree } = fc.letrec<{ tree: Plain; object: { [key: string]: Plain } }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    word,
    fc.boolean(),
    fc.array(tie('tree'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(word, tie('tree'), { maxKeys: 3 }),
}))

/** An object of texts, truth values, lists and objects. */
export const anyTree: fc.Arbitrary<Plain> = fc.dictionary(word, tree, { maxKeys: 4 })

/** The message of the refusal; anything else that is thrown, or nothing, fails the test. */
export function refusalOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    expect(error).toBeInstanceOf(IdentityError)
    expect(error).toHaveProperty('code', 'CONFIG_INVALID')
    return error instanceof IdentityError ? error.message : ''
  }
  return expect.fail('nothing was refused')
}
