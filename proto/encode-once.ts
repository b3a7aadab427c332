/**
 * A service whose answers are encoded once for each message object: one that goes to a thousand streams costs one encoding. Whoever
 * answers so must not change a message after it was sent.
 */
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js'

/** @param methods those whose handlers send the same object more than once; others are left as they are */
export function encodingOnce<S extends ServiceDefinition>(
  service: S,
  methods: readonly (keyof S)[],
): S {
  const changed: Partial<Record<keyof S, MethodDefinition<object, object>>> = {}
  for (const name of methods) {
    // Cast: grpc-js leaves the messages of a definition open; what a codec takes is always an object.
    const method = service[name] as unknown as MethodDefinition<object, object>
    changed[name] = { ...method, responseSerialize: once(method.responseSerialize) }
  }
  return { ...service, ...changed }
}

/** Kept for as long as the message itself is, and no longer. */
function once(serialize: (message: object) => Buffer): (message: object) => Buffer {
  const encoded = new WeakMap<object, Buffer>()
  return (message) => {
    let bytes = encoded.get(message)
    if (bytes === undefined) {
      bytes = serialize(message)
      encoded.set(message, bytes)
    }
    return bytes
  }
}
