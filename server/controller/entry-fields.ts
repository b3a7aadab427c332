/**
 * An entry as the cluster declares it, held to the rules that every entry of the server is held to: nothing gets in by
 * this way that the Entry API would refuse.
 */
import {
  parseSpiffeId,
  pathOf,
  type SpiffeId,
  type TrustDomain,
  trustDomainOf,
} from '../../spiffe/id.ts'
import { type Selector, selectorType, selectorValue } from '../../spiffe/selector.ts'
import { checkEntryFields } from '../entries/check-entry.ts'
import type { EntryFields } from '../entries/entry.ts'
import { parseNewEntry } from '../entries/parse-entry.ts'
import { inField } from './spec-fields.ts'

export interface DeclaredFields {
  readonly spiffeId: string
  readonly parentId: string
  readonly selectors: readonly Selector[]
  readonly x509SvidTtlSeconds: number
  readonly jwtSvidTtlSeconds: number
  readonly federatesWith: readonly TrustDomain[]
  readonly dnsNames: readonly string[]
  readonly admin: boolean
  readonly downstream: boolean
  readonly storeSvid: boolean
  readonly hint: string
}

/** @throws IdentityError of the codes *_INVALID */
export function entryFields(declared: DeclaredFields, trustDomain: TrustDomain): EntryFields {
  const parts = (field: string, text: string) => {
    const id: SpiffeId = inField(field, () => parseSpiffeId(text))
    return { trustDomain: trustDomainOf(id), path: pathOf(id) }
  }
  const { id: _, ...fields } = parseNewEntry(
    {
      ...declared,
      id: '',
      spiffeId: parts('SPIFFE ID', declared.spiffeId),
      parentId: parts('parent ID', declared.parentId),
      selectors: declared.selectors.map((one) => ({
        type: selectorType(one),
        value: selectorValue(one),
      })),
      expiresAt: 0,
      disableX509SvidPrefetch: false,
      jwtSvidIncludeJti: false,
    },
    trustDomain,
  )
  checkEntryFields(fields)
  return fields
}
