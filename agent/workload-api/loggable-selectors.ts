/** Which selectors of a workload the log may show: none but those that the operator names in `log_selectors`. */
import type { Selector } from '../../spiffe/selector.ts'

export type IsLoggable = (selector: Selector) => boolean

/** @param named each a whole selector or its beginning up to a colon, e.g. `k8s:ns`; `k8s:n` names neither of them */
export function loggableBy(named: readonly string[]): IsLoggable {
  return (selector) => named.some((one) => selector === one || selector.startsWith(`${one}:`))
}
