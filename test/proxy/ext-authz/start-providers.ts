/** Providers of authorization that answer as the test says, over real HTTP and real gRPC, and tell what they were asked. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import type { CheckRequest } from '../../../proto/gen/envoy/service/auth/v3/CheckRequest.ts'
import type { CheckResponseInput } from '../../../proto/gen/envoy/service/auth/v3/CheckResponse.ts'
import { externalAuthApi } from '../../../proto/load.ts'

export interface AskedHttp {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingMessage['headers']
}

/** @param answer left out: the provider never answers */
export async function startHttpProvider(answer?: (response: ServerResponse) => void) {
  const asked: AskedHttp[] = []
  const server = createServer(({ method, url, headers }, response) => {
    asked.push({ method, url, headers })
    answer?.(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // cast: it listens on TCP
  return {
    ...{ asked, port },
    [Symbol.dispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}

export async function startGrpcProvider(answer: (request: CheckRequest) => CheckResponseInput) {
  const asked: CheckRequest[] = []
  const server = new Server()
  server.addService(externalAuthApi().service, {
    Check(
      call: { readonly request: CheckRequest },
      callback: (error: null, value: CheckResponseInput) => void,
    ) {
      asked.push(call.request)
      callback(null, answer(call.request))
    },
  })
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
    error === null ? resolve(port) : reject(error),
  )
  return { asked, port: await promise, [Symbol.dispose]: () => server.forceShutdown() }
}
