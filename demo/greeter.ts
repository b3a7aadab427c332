/** A service of the demo: answers "hello <who you are>" to the caller, over mutual TLS, and to nobody else. */
import { createServer } from 'node:http'
import {
  authorizeId,
  createMtlsServer,
  openJwtSource,
  openX509Source,
  peerIdOf,
} from '../workload/workload.ts'
import { print } from './print.ts'

const source = await openX509Source()
const tokens = await openJwtSource()
print({ event: 'svid', id: source.current().defaultSvid.id })

const http = createServer(async (request, response) => {
  const token = request.headers.authorization?.replace(/^Bearer /, '')
  const who = peerIdOf(request)
  const also =
    token === undefined ? '' : ` with a token of ${(await tokens.validate(token, 'greeter')).id}`
  response.end(`hello ${who}${also}`)
})
const server = createMtlsServer(source, authorizeId('spiffe://demo.example/caller'), http, {
  onRefused: ({ message }) => print({ event: 'refused', message }),
})
const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
print({ event: 'listening', port })

process.once('SIGTERM', async () => {
  await server[Symbol.asyncDispose]()
  await tokens[Symbol.asyncDispose]()
  await source[Symbol.asyncDispose]()
})
