/**
 * Requests come as they are: what names an encoding is refused at its head, before a byte of it is inflated, as a Go server refuses
 * what it has no codec for. Kilobytes would become hundreds of megabytes before anybody has asked who is calling, and no peer of the
 * field sends compressed requests. Answers are another matter: a caller may say that it would take them compressed.
 *
 * @see gRPC over HTTP/2 — Message-Encoding, Compressed-Flag
 */
import {
  experimental,
  Metadata,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  status,
} from '@grpc/grpc-js'

const IDENTITY = 'identity'
/** No codec has this name, so that grpc-js refuses what claims to be compressed on a stream that named no encoding. */
const NO_CODEC = 'none, with the compressed flag set'
/** Of an encoding that is refused; the rest of a long name is not told back. */
const MAX_SHOWN_CHARACTERS = 32

/** grpc-js's own call, whose fields are private. */
interface OwnCall {
  readonly stream?: { close(): void }
  incomingEncoding?: unknown
}

/** @returns whether it was refused; then no handler hears of it, and its stream is closed although its caller may have more to say */
function isRefused(call: ServerInterceptingCallInterface): boolean {
  // Cast: the first interceptor is given grpc-js's own call; how it reads messages is said nowhere else.
  const own = call as unknown as OwnCall
  const encoding = own.incomingEncoding
  if (encoding === IDENTITY) {
    own.incomingEncoding = NO_CODEC
    return false
  }
  // Fails closed: an encoding that grpc-js no longer tells is refused as well.
  const metadata = new Metadata()
  metadata.set('grpc-accept-encoding', IDENTITY)
  const shown = String(encoding).slice(0, MAX_SHOWN_CHARACTERS)
  const details = `grpc: Decompressor is not installed for grpc-encoding "${shown}"`
  call.sendStatus({ code: status.UNIMPLEMENTED, details, metadata })
  own.stream?.close()
  return true
}

/** For connections that are injected into a gRPC server: no compressed requests, and `then` for the calls that are left. */
export function uncompressedOnly(
  then: ServerInterceptor = (_, call) => new ServerInterceptingCall(call),
): ServerCredentials {
  const interceptor: ServerInterceptor = (method, call) =>
    isRefused(call) ? new ServerInterceptingCall(call, { start() {} }) : then(method, call)
  return experimental.createServerCredentialsWithInterceptors(ServerCredentials.createInsecure(), [
    interceptor,
  ])
}
