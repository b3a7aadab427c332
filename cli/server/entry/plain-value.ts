/** JSON or YAML that an operator wrote, as plain values. A key that stands twice in an object is refused, not chosen from. */
import { parseJson } from '../../../config/json.ts'
import { refuseAt } from '../../../config/mistake.ts'
import type { ConfigNode } from '../../../config/tree.ts'
import { parseYaml } from '../../../config/yaml.ts'

/**
 * @param name of the file, for messages; one that ends in neither .json nor .yaml is told by its first character
 * @throws IdentityError CONFIG_INVALID with the place of the mistake
 */
export function parsePlain(name: string, text: string): unknown {
  return toPlain(parsePlaced(name, text))
}

/** As `parsePlain`, with the place of everything. @throws IdentityError CONFIG_INVALID */
export function parsePlaced(name: string, text: string): ConfigNode {
  const isJson = /\.json$/i.test(name) || (!/\.ya?ml$/i.test(name) && /^\s*[{[]/.test(text))
  return isJson ? parseJson(name, text) : parseYaml(name, text)
}

/** @throws IdentityError CONFIG_INVALID with the place of a key that stands twice */
export function toPlain(node: ConfigNode): unknown {
  switch (node.kind) {
    case 'string':
    case 'bool':
      return node.value
    case 'number':
      return Number(node.text)
    case 'null':
      return null
    case 'list':
      return node.items.map(toPlain)
    case 'object': {
      const members = new Map<string, unknown>()
      for (const { key, value, place } of node.members) {
        const name = key.toLowerCase() // as the members of entries are compared
        if (members.has(name))
          refuseAt(place, `${JSON.stringify(key)} is there twice`, 'one of them')
        members.set(name, toPlain(value))
      }
      return Object.fromEntries(members)
    }
    default:
      return node satisfies never
  }
}
