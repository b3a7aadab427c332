/** A Workload API on a real Unix socket over a fake identity source, and a client that talks to it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClientReadableStream, credentials, Metadata } from '@grpc/grpc-js'
import { type Attest, attestWith } from '../../agent/attest/attest.ts'
import { unixAttestor } from '../../agent/attest/unix/unix-attestor.ts'
import { serveWorkloadApi, type WorkloadApiOptions } from '../../agent/workload-api/serve.ts'
import type { HealthCheckRequestInput } from '../../proto/gen/grpc/health/v1/HealthCheckRequest.ts'
import type { HealthCheckResponse } from '../../proto/gen/grpc/health/v1/HealthCheckResponse.ts'
import type { JWTSVIDRequestInput } from '../../proto/gen/JWTSVIDRequest.ts'
import type { JWTSVIDResponse } from '../../proto/gen/JWTSVIDResponse.ts'
import type { ValidateJWTSVIDRequestInput } from '../../proto/gen/ValidateJWTSVIDRequest.ts'
import type { ValidateJWTSVIDResponse } from '../../proto/gen/ValidateJWTSVIDResponse.ts'
import { healthApi, workloadApi } from '../../proto/load.ts'
import { type Bundle, emptyBundle } from '../../spiffe/bundle.ts'
import { parseTrustDomain } from '../../spiffe/id.ts'
import { FakeClock } from './clock.ts'
import { FakeIdentitySource } from './identity-source.ts'
import { memoryLog } from './memory-log.ts'

export const exampleOrg = parseTrustDomain('example.org')

/** Two authorities whose bytes are not real certificates. */
export const exampleBundle: Bundle = {
  ...emptyBundle(exampleOrg),
  x509Authorities: [
    { der: Buffer.from('root 1;'), tainted: false },
    { der: Buffer.from('root 2;'), tainted: true },
  ],
}

export function secured(): Metadata {
  const metadata = new Metadata()
  metadata.set('workload.spiffe.io', 'true')
  return metadata
}

export type EndpointOptions = Partial<Omit<WorkloadApiOptions, 'path' | 'source' | 'log'>>

export async function openWorkloadEndpoint(options: EndpointOptions = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'steeple-workload-'))
  const path = join(dir, 'public', 'api.sock')
  const source = new FakeIdentitySource(exampleBundle)
  const clock = new FakeClock()
  const { log, lines } = memoryLog()
  const unix = unixAttestor({ discoverWorkloadPath: false, workloadSizeLimitBytes: 0 })
  const attest: Attest = attestWith({ attestors: [unix], log })
  const api = await serveWorkloadApi({
    path,
    source,
    attest,
    clock,
    log,
    allowUnauthenticatedVerifiers: false,
    allowedForeignJwtClaims: [],
    ...options,
  })
  const client = new (workloadApi())(`unix:${path}`, credentials.createInsecure())
  const health = new (healthApi())(`unix:${path}`, credentials.createInsecure())
  return {
    path,
    source,
    clock,
    lines,
    client,
    fetchJwtSvid: (request: JWTSVIDRequestInput, metadata?: Metadata) =>
      unary<JWTSVIDResponse>(
        (headers, done) => client.FetchJWTSVID(request, headers, done),
        metadata,
      ),
    validateJwtSvid: (request: ValidateJWTSVIDRequestInput, metadata?: Metadata) =>
      unary<ValidateJWTSVIDResponse>(
        (headers, done) => client.ValidateJWTSVID(request, headers, done),
        metadata,
      ),
    checkHealth: (request: HealthCheckRequestInput) =>
      unary<HealthCheckResponse>(
        (headers, done) => health.Check(request, headers, done),
        new Metadata(),
      ),
    /** The agent stops; the client stays. */
    stop: () => api[Symbol.asyncDispose](),
    async [Symbol.asyncDispose]() {
      client.close()
      health.close()
      await api[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true })
    },
  }
}

type Done<T> = (error: Error | null, reply?: T) => void

/** Makes a unary call and resolves with its reply. */
export function unary<T>(
  call: (metadata: Metadata, done: Done<T>) => unknown,
  metadata: Metadata = secured(),
): Promise<T> {
  return new Promise((resolve, reject) => {
    call(metadata, (error, reply) => {
      if (error !== null || reply === undefined) reject(error)
      else resolve(reply)
    })
  })
}

/** The messages of a stream, typed. */
export function messages<T>(stream: ClientReadableStream<T>): AsyncIterator<T> {
  return stream[Symbol.asyncIterator]()
}

/** The next message of a stream; throws its error, and when it ends. */
export async function next<T>(stream: AsyncIterator<T>): Promise<T> {
  const { done, value } = await stream.next()
  if (done) throw new Error('the stream has ended')
  return value
}
