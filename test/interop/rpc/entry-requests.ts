/** Entries as requests bring them, and IDs of every form that is none. */
import { ITEM_REFUSAL, takenByOne } from './accepted.ts'
import type { Message } from './methods.ts'
import type { Step } from './story.ts'
import { TRUST_DOMAIN } from './world.ts'

/** @param path anything, also what no ID may hold */
export const id = (path: string, trust_domain = TRUST_DOMAIN) => ({ trust_domain, path })
export const entry = (changes: Message = {}): Message => ({
  spiffe_id: id('/one'),
  parent_id: id('/parent'),
  selectors: [{ type: 'unix', value: 'uid:1' }],
  ...changes,
})

export const selectors = (...values: readonly string[]) =>
  values.map((text) => ({
    type: text.split(':')[0] ?? '',
    value: text.slice(text.indexOf(':') + 1),
  }))

export const WRONG_IDS: readonly (Message | undefined)[] = [
  undefined,
  {},
  id('', ''),
  id('/x', ''),
  id('/x', 'other.org'),
  id('/x', 'EXAMPLE.org'),
  id('/x', 'example.org:80'),
  id('/x', 'exa mple.org'),
  id('/x', 'spiffe://example.org'),
  id(''),
  id('/'),
  id('x'),
  id('/x/'),
  id('//x'),
  id('/x//y'),
  id('/./x'),
  id('/x/..'),
  id('/x y'),
  id('/x?y'),
  id('/x#y'),
  id('/%41'),
  id('/ü'),
  id('/spire'),
  id('/spire/'),
  id('/spire/server'),
  id('/spire/agent'),
  id('/spire/agent/x'),
  id('/spire/other/x'),
  id('/spirex'),
]

/** What differs where one of the two does not take an entry. */
export const REFUSED = ITEM_REFUSAL('entry')
/** Removes an entry that one of the two has not. */
export const gone = (name: string): Step =>
  takenByOne({ call: 'Entry/BatchDeleteEntry', with: { ids: [name] } }, ITEM_REFUSAL(''))
