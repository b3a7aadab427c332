/** Selectors as flags carry them. What a type or a value may be is for the server to say. */
import type { Selector } from '../../proto/gen/spire/api/types/Selector.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { quote } from '../output/go-quote.ts'

/** @throws IdentityError SELECTOR_INVALID */
export function readSelector(text: string): Selector {
  const colon = text.indexOf(':')
  if (colon === -1) {
    throw new IdentityError(
      'SELECTOR_INVALID',
      `selector ${quote(text)} must be formatted as type:value`,
    )
  }
  return { type: text.slice(0, colon), value: text.slice(colon + 1) }
}
