/**
 * What an Envoy says of itself that changes how bundles are written for it: its version, and whether it wants Envoy's
 * SPIFFE validator. Nothing of it decides what the Envoy may have.
 *
 * @see SPIRE API §9 — versions, and `disable_spiffe_cert_validation` in the node's metadata
 */
import type { Node } from '../../proto/gen/envoy/config/core/v3/Node.ts'
import type { Value } from '../../proto/gen/google/protobuf/Value.ts'
import type { SdsSettings } from './settings.ts'

/** `spiffe`: each chain is judged by the roots of its own trust domain; `roots`: by all that are given. */
export type Validator = 'spiffe' | 'roots'

const OVERRIDE = 'disable_spiffe_cert_validation'
/** What Go's strconv.ParseBool takes. */
const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True'])
const FALSE = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False'])

/** What is kept of a node for as long as its stream is open: the rest of it may be as long as a request. */
export interface EnvoyNode {
  /** Undefined: it does not say. */
  readonly disablesValidator: boolean | undefined
  readonly knowsValidator: boolean
}

/** @param node null where a request does not say it again */
export function readEnvoyNode(node: Node | null | undefined): EnvoyNode | undefined {
  if (node === null || node === undefined) return undefined
  return {
    disablesValidator: truthOf(node.metadata?.fields[OVERRIDE]),
    knowsValidator: knowsSpiffeValidator(node),
  }
}

/** Whoever does not say what it is gets the SPIFFE validator, which is the stricter one. */
export function validatorFor(
  node: EnvoyNode | undefined,
  { disableSpiffeCertValidation }: SdsSettings,
): Validator {
  const isDisabled = node?.disablesValidator ?? disableSpiffeCertValidation
  return isDisabled || node?.knowsValidator === false ? 'roots' : 'spiffe'
}

/** Envoy has it since 1.18. */
function knowsSpiffeValidator(node: Node): boolean {
  const version = node.user_agent_build_version?.version
  if (version === undefined || version === null) return true
  const { major_number: major, minor_number: minor } = version
  return major > 1 || (major === 1 && minor > 17)
}

/** @returns undefined for whatever is neither a truth value nor the text of one */
function truthOf(value: Value | undefined): boolean | undefined {
  if (value?.kind === 'boolValue') return value.boolValue
  const text = value?.kind === 'stringValue' ? value.stringValue : undefined
  if (text === undefined) return undefined
  if (TRUE.has(text)) return true
  return FALSE.has(text) ? false : undefined
}
