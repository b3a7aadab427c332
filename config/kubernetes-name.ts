/** Names of objects in Kubernetes. @see RFC 1123 §2.1, as the API server holds names to it */
import { textLike, type Value } from './value.ts'

const DNS_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const DNS_NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/

export function namespaceName(): Value<string> {
  return textLike(DNS_LABEL, 'a namespace')
}

/** @param expected for messages and tables, e.g. `the name of a pod` */
export function objectName(expected: string): Value<string> {
  return textLike(DNS_NAME, expected)
}
