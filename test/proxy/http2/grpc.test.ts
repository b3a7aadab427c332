/** A real gRPC client and server (grpc-js) with the data path between them. */
import {
  Client,
  credentials,
  type handleBidiStreamingCall,
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  status,
} from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { deny, forward, type Judge, openHttp2Proxy } from '../http/judged-proxy.ts'

const bytes = (value: Buffer) => value
const method = (path: string, streaming: boolean) => ({
  ...{ path, requestStream: streaming, responseStream: streaming },
  ...{ requestSerialize: bytes, requestDeserialize: bytes },
  ...{ responseSerialize: bytes, responseDeserialize: bytes },
})
const definition: ServiceDefinition = {
  Say: method('/test.Echo/Say', false),
  Talk: method('/test.Echo/Talk', true),
}

const say: handleUnaryCall<Buffer, Buffer> = (call, answer) => {
  if (call.request.toString() === 'fail') answer({ code: status.NOT_FOUND, details: 'é no' })
  else answer(null, call.request)
}

const talk: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
  call.on('data', (chunk: Buffer) => call.write(chunk))
  call.on('end', () => call.end())
}

async function rig(judge: Judge) {
  const server = new Server()
  server.addService(definition, { Say: say, Talk: talk })
  const insecure = ServerCredentials.createInsecure()
  const upstreamPort = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', insecure, (error, port) =>
      error ? reject(error) : resolve(port),
    )
  })
  const proxy = await openHttp2Proxy({ upstreamPort, judge })
  const client = new Client(`127.0.0.1:${proxy.port}`, credentials.createInsecure())
  const ask = (text: string) =>
    new Promise<{ code: number; text: string }>((resolve) => {
      const request = Buffer.from(text)
      client.makeUnaryRequest('/test.Echo/Say', bytes, bytes, request, (error, value) =>
        resolve({ code: error?.code ?? 0, text: error?.details ?? value?.toString() ?? '' }),
      )
    })
  return {
    ...{ proxy, client, ask },
    async [Symbol.asyncDispose]() {
      client.close()
      server.forceShutdown()
      await proxy[Symbol.asyncDispose]()
    },
  }
}

test('calls and their errors pass with details', async () => {
  await using echo = await rig(() => forward())
  expect(await echo.ask('hello')).toEqual({ code: 0, text: 'hello' })
  expect(await echo.ask('x'.repeat(1_000_000))).toMatchObject({ code: 0 })
  expect(await echo.ask('fail')).toEqual({ code: status.NOT_FOUND, text: 'é no' })
  await expect.poll(() => echo.proxy.records.map(({ grpcStatus }) => grpcStatus)).toEqual([0, 0, 5])
})

test('a denied call is PERMISSION_DENIED with the text of Envoy', async () => {
  await using echo = await rig((head) => (head.path === '/test.Echo/Say' ? deny : forward()))
  expect(await echo.ask('hello')).toEqual({
    code: status.PERMISSION_DENIED,
    text: 'RBAC: access denied',
  })
})

test('a stream goes both ways for as long as policy allows it', async () => {
  let allowed = true
  await using echo = await rig(() => (allowed ? forward() : deny))
  const call = echo.client.makeBidiStreamRequest('/test.Echo/Talk', bytes, bytes)
  const heard: string[] = []
  let code: number | undefined
  call.on('data', (chunk: Buffer) => heard.push(chunk.toString()))
  call.on('error', (error: { code: number }) => {
    code = error.code
  })
  for (const word of ['one', 'two', 'three']) {
    call.write(Buffer.from(word))
    await expect.poll(() => heard.at(-1)).toBe(word)
  }
  allowed = false
  echo.proxy.connections[0]?.rejudge()
  await expect.poll(() => code).toBe(status.INTERNAL)
  expect(echo.proxy.records[0]?.details).toContain('rbac_access_denied')
})
