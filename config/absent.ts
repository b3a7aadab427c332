/**
 * Keys of SPIRE that have no effect here: those not implemented yet, which refuse every value but
 * the one that means "off", and those that tune nothing, which are checked and answered by a warning.
 */
import type { Key, Rule } from './check.ts'
import { addMistake, addWarning } from './mistake.ts'
import type { ConfigNode } from './tree.ts'

const NOT_YET = 'not implemented yet'

/**
 * @param fallback the value that SPIRE uses when the key is left out, which is accepted; beside it
 *   so are 0, an empty string or list, and false where true is not the default
 * @param status the reason, when it is another than that nobody has built it yet
 */
export function absent(about: string, fallback?: string, status = NOT_YET): Key<undefined> {
  const expected = `it to be left out${fallback === undefined ? '' : `, or ${fallback}`}`
  const read: Key<undefined>['read'] = (found, { name }, { report }) => {
    const used = found.find(({ value }) => !isOff(value, fallback))
    if (used !== undefined) addMistake(report, used.place, `${name} is ${status}`, expected)
    return undefined
  }
  return { rule: { expected, read }, about, fallback, status, read }
}

function isOff(node: ConfigNode, fallback: string | undefined): boolean {
  switch (node.kind) {
    case 'null':
      return true
    case 'list':
      return node.items.length === 0
    case 'object':
      // Even an empty block turns some of them on: Prometheus, a bundle endpoint.
      return false
    case 'bool':
      return node.value === (fallback === 'true')
    case 'number':
      return node.text === '0' || node.text === fallback
    case 'string':
      return node.value === '' || (node.value === fallback && !isTruth(fallback))
    default:
      return node satisfies never
  }
}

function isTruth(text: string): boolean {
  return text === 'true' || text === 'false'
}

/**
 * A key whose value is checked, and whose presence is answered by a warning that says why. It is read all the same,
 * for whoever checks it against other keys.
 */
export function idle<T>(
  rule: Rule<T>,
  fallback: string | undefined,
  why: string,
  about: string,
): Key<T | undefined> {
  return {
    rule,
    about,
    fallback,
    status: `accepted, but ${why}`,
    read: (found, spot, context) => {
      const mistakes = context.report.mistakes.length
      const value = rule.read(found, spot, context)
      const [first] = found
      if (first !== undefined && context.report.mistakes.length === mistakes) {
        addWarning(context.report, first.place, `${spot.name} has no effect: ${why}`)
      }
      return value
    },
  }
}
