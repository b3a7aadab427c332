/**
 * `disable_sds_api`: Envoy's secret discovery is not served, so leaving the key out or setting it is
 * fine, and asking for it by `false` is refused.
 */
import type { Key } from '../../config/check.ts'
import { addMistake } from '../../config/mistake.ts'
import { truth } from '../../config/value.ts'

export function sdsOff(): Key<undefined> {
  const status = 'not implemented yet'
  const rule = truth()
  return {
    rule,
    about: 'serve no SDS, Envoy’s secret discovery',
    fallback: undefined,
    status: 'only true: SDS is not implemented yet',
    read: (found, spot, context) => {
      const wanted = rule.read(found, spot, context) === false
      const place = found[0]?.place ?? spot.place
      const message = `${spot.name} is false, but SDS is ${status}`
      if (wanted) addMistake(context.report, place, message, 'it to be left out, or true')
      return undefined
    },
  }
}
