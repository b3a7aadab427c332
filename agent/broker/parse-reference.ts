/**
 * What a broker sent as the reference of a workload, read strictly: exactly one, of a type that is known here, and complete.
 * Nothing that it says of the workload beyond its name is believed, for there is nothing else in it.
 *
 * @see Broker-API §3.1, §4.8; SPIRE API §8
 */
import type { MessageTypeDefinition } from '@grpc/proto-loader'
import type { Any } from '../../proto/gen/google/protobuf/Any.ts'
import type { KubernetesObjectReference } from '../../proto/gen/spiffe/broker/KubernetesObjectReference.ts'
import type { WorkloadPIDReference } from '../../proto/gen/spiffe/broker/WorkloadPIDReference.ts'
import type { WorkloadReference as WireReference } from '../../proto/gen/spiffe/broker/WorkloadReference.ts'
import { definitionsOf } from '../../proto/load.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { KubernetesObject, WorkloadReference } from '../attest/reference.ts'

export const PID_TYPE = 'type.googleapis.com/spiffe.broker.WorkloadPIDReference'
export const KUBERNETES_TYPE = 'type.googleapis.com/spiffe.broker.KubernetesObjectReference'

/** A reference is a few names; Kubernetes allows 253 bytes for each of them. */
const MAX_REFERENCE_BYTES = 4_096
const MAX_SHOWN_CHARS = 200

/** A reference whose type is named; it may still be of no known type. */
export interface TypedReference {
  readonly typeUrl: string
  readonly value: Uint8Array
}

/** @throws IdentityError WORKLOAD_REFERENCE_INVALID when there is none */
export function typedReference(wire: WireReference | null): TypedReference {
  const any: Any | null = wire?.reference ?? null
  if (any === null || any.type_url === '') throw invalid('workload reference must be provided')
  return { typeUrl: any.type_url, value: any.value }
}

/** @throws IdentityError WORKLOAD_REFERENCE_INVALID */
export function parseReference({ typeUrl, value }: TypedReference): WorkloadReference {
  if (value.length > MAX_REFERENCE_BYTES) {
    const why = `the reference has ${value.length} bytes, at most ${MAX_REFERENCE_BYTES} are allowed`
    throw invalid(why)
  }
  switch (typeUrl) {
    case PID_TYPE:
      return parsePid(value)
    case KUBERNETES_TYPE:
      return { kind: 'kubernetes-object', object: parseObject(value) }
    default:
      throw invalid(`unsupported reference type: ${typeUrl.slice(0, MAX_SHOWN_CHARS)}`)
  }
}

function parsePid(value: Uint8Array): WorkloadReference {
  const { pid } = decode<WorkloadPIDReference>('WorkloadPIDReference', 'PID', value)
  if (pid <= 0) throw invalid(`the PID is ${pid}, a positive number is expected`)
  return { kind: 'process', pid }
}

/** DNS labels and subdomains, as the API server takes them; whatever else would mean another path there. */
const NAME = /^(?!\.{1,2}$)[^/%?#\s\p{Cc}]{1,253}$/u
const UID = /^[A-Za-z0-9-]{1,128}$/

function parseObject(value: Uint8Array): KubernetesObject {
  const reference = decode<KubernetesObjectReference>('KubernetesObjectReference', 'object', value)
  const { type, key, uid } = reference
  if (type === null) throw invalid('object reference is missing type')
  if (type.plural === '') throw invalid('object reference type is missing plural')
  if (type.group === '') throw invalid('object reference type is missing group')
  if (key === null && uid === '') throw invalid('object reference is missing key and UID')
  if (key !== null && key.name === '') throw invalid('object reference key is missing name')
  const namespace = key?.namespace ?? ''
  const name = key?.name ?? ''
  const given = { plural: type.plural, group: type.group, namespace, name }
  for (const [what, text] of Object.entries(given)) {
    if (text !== '' && !NAME.test(text)) throw invalid(`object reference ${what} is no valid name`)
  }
  if (uid !== '' && !UID.test(uid)) throw invalid('object reference UID is no valid UID')
  return { ...given, uid }
}

function decode<T>(message: string, what: string, value: Uint8Array): T {
  // Cast: the loader types its map by name only, and the name is that of the generated type.
  const type = definitionsOf('broker')[
    `spiffe.broker.${message}`
  ] as unknown as MessageTypeDefinition<T, T>
  try {
    return type.deserialize(Buffer.from(value))
  } catch (cause) {
    const why = `unable to unmarshal ${what} reference: ${reasonOf(cause)}`
    throw new IdentityError('WORKLOAD_REFERENCE_INVALID', why, { cause })
  }
}

function invalid(message: string): IdentityError {
  return new IdentityError('WORKLOAD_REFERENCE_INVALID', message)
}
