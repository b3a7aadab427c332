/**
 * SPIFFE identity for Node programs: the public entry of `steeple/workload`. Open a source, and use it wherever a
 * connection is made or taken.
 */
export type { Bundle } from '../spiffe/bundle.ts'
export { type ErrorCode, IdentityError } from '../spiffe/error.ts'
export {
  parseSpiffeId,
  parseTrustDomain,
  pathOf,
  type SpiffeId,
  type TrustDomain,
  trustDomainOf,
} from '../spiffe/id.ts'
export type { JwtSvid } from '../spiffe/jwt/jwt-svid.ts'
export type { FetchedJwtSvid, JwtWish } from './fetch-jwt-svids.ts'
export type { OnFailure } from './follow.ts'
export type { JwtBundles } from './jwt-bundles.ts'
export { type JwtSource, openJwtSource } from './jwt-source.ts'
export type { SourceOptions } from './source-options.ts'
export {
  type Authorize,
  authorizeAny,
  authorizeId,
  authorizeMemberOf,
} from './tls/authorize.ts'
export { connectMtls, type MtlsTarget } from './tls/connect-mtls.ts'
export { grpcCredentials } from './tls/grpc-credentials.ts'
export { connectHttp2, httpsAgent, undiciConnector } from './tls/http-clients.ts'
export { createMtlsServer, type MtlsServer, type MtlsServerOptions } from './tls/mtls-server.ts'
export { peerIdOf } from './tls/peer-id.ts'
export { type TlsClientOptions, tlsClientOptions } from './tls/tls-client-options.ts'
export type { TlsIdentity } from './tls/tls-identity.ts'
export type { HintedX509Svid, PickSvid, X509Context } from './x509-context.ts'
export { openX509Source, type X509Source, type X509SourceOptions } from './x509-source.ts'
