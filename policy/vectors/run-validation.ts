/**
 * Runs a vector of validation: is the object accepted, accepted with a warning, or rejected?
 */
import { parseAuthorizationPolicy } from '../parse-authorization-policy.ts'
import { parsePeerAuthentication } from '../parse-peer-authentication.ts'
import { parseRequestAuthentication } from '../parse-request-authentication.ts'
import type { Parsed } from '../resource.ts'
import type { ValidationCase } from './vector-file.ts'
import { compared, failed, type VectorResult } from './vector-result.ts'

const PARSERS: Readonly<Record<string, (object: unknown) => Parsed<unknown>>> = {
  AuthorizationPolicy: parseAuthorizationPolicy,
  PeerAuthentication: parsePeerAuthentication,
  RequestAuthentication: parseRequestAuthentication,
}

export function runValidation({ id, title = '', object, expect }: ValidationCase): VectorResult {
  const of = { section: 'validationCases', id, title } as const
  const kind = typeof object === 'object' && object !== null && 'kind' in object ? object.kind : ''
  const parse = PARSERS[String(kind)]
  if (parse === undefined) return failed(of, `there is no policy of kind ${JSON.stringify(kind)}`)
  const parsed = parse(object)
  const found = parsed.kind === 'faults' ? 'reject' : parsed.warnings.length > 0 ? 'warn' : 'accept'
  return compared(of, { outcome: expect }, { outcome: found })
}
