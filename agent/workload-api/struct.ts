/** JSON as google.protobuf.Struct, in the form that the loader encodes. */
import type { StructInput } from '../../proto/gen/google/protobuf/Struct.ts'
import type { ValueInput } from '../../proto/gen/google/protobuf/Value.ts'
import { IdentityError } from '../../spiffe/error.ts'

/** Claims are flat or nearly so; deeper nesting is refused before it can exhaust a stack. */
const MAX_DEPTH = 32

/** @throws IdentityError JWT_SVID_INVALID when the value is nested too deeply or is not JSON */
export function toStruct(value: Readonly<Record<string, unknown>>, depth = 0): StructInput {
  return {
    fields: Object.fromEntries(
      Object.entries(value)
        .filter(([, one]) => one !== undefined)
        .map(([name, one]) => [name, toValue(one, depth + 1)]),
    ),
  }
}

function toValue(value: unknown, depth: number): ValueInput {
  if (depth > MAX_DEPTH) {
    throw new IdentityError('JWT_SVID_INVALID', `claims are nested deeper than ${MAX_DEPTH} levels`)
  }
  switch (typeof value) {
    case 'string':
      return { stringValue: value }
    case 'number':
      return { numberValue: value }
    case 'boolean':
      return { boolValue: value }
    case 'object': {
      if (value === null) return { nullValue: 'NULL_VALUE' }
      if (Array.isArray(value)) {
        return { listValue: { values: value.map((one) => toValue(one, depth + 1)) } }
      }
      // Cast: JSON has no other kind of object.
      return { structValue: toStruct(value as Readonly<Record<string, unknown>>, depth) }
    }
    default:
      throw new IdentityError('JWT_SVID_INVALID', `a claim is not JSON: ${typeof value}`)
  }
}
