/** In which fields two entries differ, by the names that the fields have in files. What the server alone sets does not count. */
import type { Entry } from '../../../proto/gen/spire/api/types/Entry.ts'
import { idText } from '../../output/entry-text.ts'
import { selectorTexts } from './declaration.ts'

export interface FieldChange {
  readonly field: string
  readonly from: FieldValue
  readonly to: FieldValue
}

export type FieldValue = string | number | boolean | readonly string[]

export function changesBetween(from: Entry, to: Entry): readonly FieldChange[] {
  const before = fieldsOf(from)
  return [...fieldsOf(to)].flatMap(([field, wanted]) => {
    const had = before.get(field) ?? ''
    return JSON.stringify(had) === JSON.stringify(wanted) ? [] : [{ field, from: had, to: wanted }]
  })
}

/** Lists that mean a set are sorted. DNS names are not: the first is the subject of the certificate. */
export function fieldsOf(entry: Entry): ReadonlyMap<string, FieldValue> {
  const { additional_attributes: more } = entry
  return new Map<string, FieldValue>([
    ['spiffe_id', idText(entry.spiffe_id)],
    ['parent_id', idText(entry.parent_id)],
    ['selectors', selectorTexts(entry.selectors)],
    ['x509_svid_ttl', entry.x509_svid_ttl],
    ['jwt_svid_ttl', entry.jwt_svid_ttl],
    ['federates_with', [...new Set(entry.federates_with)].sort()],
    ['dns_names', entry.dns_names],
    ['admin', entry.admin],
    ['downstream', entry.downstream],
    ['entryExpiry', entry.expires_at],
    ['store_svid', entry.store_svid],
    ['hint', entry.hint],
    ['additional_attributes.disable_x509_svid_prefetch', more?.disable_x509_svid_prefetch ?? false],
    ['additional_attributes.jwt_svid_include_jti', more?.jwt_svid_include_jti ?? false],
  ])
}

/** As files leave it out. */
export function isEmpty(value: FieldValue): boolean {
  return Array.isArray(value) ? value.length === 0 : value === '' || value === 0 || value === false
}
