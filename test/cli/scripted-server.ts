/**
 * A gRPC server on a real Unix socket that gives the answers it was told, for what no healthy server or agent says.
 * It remembers what it was asked.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import {
  agentApi,
  agentDebugApi,
  agentLoggerApi,
  bundleApi,
  debugApi,
  entryApi,
  explainApi,
  healthApi,
  localAuthorityApi,
  loggerApi,
  svidApi,
  trustDomainApi,
  workloadApi,
} from '../../proto/load.ts'

export interface Refusal {
  readonly code: number
  readonly details: string
}

export interface Script {
  /** By the name of the method; one that is not here is never answered. */
  readonly answers?: Readonly<Record<string, object>>
  readonly refusals?: Readonly<Record<string, Refusal>>
  /** Messages of a stream, which then stays open unless `ends` names it. */
  readonly streams?: Readonly<Record<string, readonly object[]>>
  readonly ends?: readonly string[]
}

export interface Asked {
  readonly method: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was sent
  readonly request: any
  readonly headers: Readonly<Record<string, unknown>>
}

export interface ScriptedServer extends AsyncDisposable {
  readonly path: string
  readonly asked: readonly Asked[]
  /** Sends one more message on every open stream of the method. */
  send(method: string, message: object): void
}

type Stream = ServerWritableStream<unknown, object>

export async function openScriptedServer(script: Script): Promise<ScriptedServer> {
  const dir = mkdtempSync(join(tmpdir(), 'scripted-'))
  const path = join(dir, 'api.sock')
  const asked: Asked[] = []
  const open: { readonly method: string; readonly stream: Stream }[] = []
  const server = new Server()
  const apis = [
    ...[agentApi(), bundleApi(), entryApi(), svidApi(), healthApi(), workloadApi()],
    ...[trustDomainApi(), localAuthorityApi(), loggerApi(), debugApi()],
    ...[agentLoggerApi(), agentDebugApi(), explainApi()],
  ]
  for (const { service } of apis) {
    const implementation: UntypedServiceImplementation = {}
    for (const [method, { requestStream, responseStream }] of Object.entries<
      ServiceDefinition[string]
    >(service)) {
      const hear = (call: { readonly request: unknown } & Pick<Stream, 'metadata'>) =>
        asked.push({ method, request: call.request, headers: call.metadata.getMap() })
      if (requestStream) continue
      implementation[method] = responseStream
        ? (stream: Stream) => {
            hear(stream)
            open.push({ method, stream })
            answerStream(script, method, stream)
          }
        : (call: ServerUnaryCall<unknown, object>, done: sendUnaryData<object>) => {
            hear(call)
            const refusal = script.refusals?.[method]
            const answer = script.answers?.[method]
            if (refusal !== undefined) done(refusal)
            else if (answer !== undefined) done(null, answer)
          }
    }
    server.addService(service, implementation)
  }
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    )
  })
  return {
    path,
    asked,
    send(method, message) {
      for (const { stream } of open.filter((one) => one.method === method)) stream.write(message)
    },
    async [Symbol.asyncDispose]() {
      server.forceShutdown()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

function answerStream({ refusals, streams, ends }: Script, method: string, stream: Stream): void {
  const refusal = refusals?.[method]
  if (refusal !== undefined) {
    stream.emit('error', refusal)
    return
  }
  for (const message of streams?.[method] ?? []) stream.write(message)
  if (ends?.includes(method)) stream.end()
}
