/**
 * An object store that speaks as much of S3 as a PUT needs. It works out the signature of each request by itself, from
 * what came over the wire, and refuses what does not fit.
 */
import { createHash, createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface FakeS3 extends AsyncDisposable {
  readonly endpoint: string
  /** Path → what was put there last. */
  readonly objects: Map<string, { readonly body: string; readonly contentType: string }>
  /** Statuses of all answers. */
  readonly answers: number[]
  /** While it is set, every request is answered with this status. */
  failWith: number | undefined
}

const hash = (data: string | Buffer) => createHash('sha256').update(data).digest('hex')
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()

const FORM =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/

export async function startFakeS3(id: string, secret: string, region: string): Promise<FakeS3> {
  const objects: FakeS3['objects'] = new Map()
  const answers: number[] = []
  const state = { failWith: undefined as number | undefined }
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request))
    const refusal = state.failWith === undefined ? judge(request, body) : 'InternalError'
    const status = state.failWith ?? (refusal === undefined ? 200 : 403)
    if (status === 200) {
      const contentType = request.headers['content-type'] ?? ''
      objects.set(request.url ?? '', { body: body.toString(), contentType })
    }
    answers.push(status)
    answer(response, status, refusal)
  })
  const judge = (request: IncomingMessage, body: Buffer): string | undefined => {
    const match = FORM.exec(request.headers.authorization ?? '')
    if (match === null) return 'AccessDenied'
    const [, givenId, day = '', givenRegion, names = '', given] = match
    if (givenId !== id) return 'InvalidAccessKeyId'
    if (givenRegion !== region) return 'AuthorizationHeaderMalformed'
    if (request.headers['x-amz-content-sha256'] !== hash(body)) return 'XAmzContentSHA256Mismatch'
    const stamp = String(request.headers['x-amz-date'])
    const lines = names.split(';').map((name) => `${name}:${request.headers[name]}\n`)
    const [path = '', query = ''] = (request.url ?? '').split('?')
    const canonical = [request.method, path, query, lines.join(''), names, hash(body)].join('\n')
    const scope = `${day}/${region}/s3/aws4_request`
    const text = ['AWS4-HMAC-SHA256', stamp, scope, hash(canonical)].join('\n')
    const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), 's3'), 'aws4_request')
    const isWhole = ['host', 'x-amz-content-sha256', 'x-amz-date'].every((name) =>
      names.split(';').includes(name),
    )
    return isWhole && hmac(key, text).toString('hex') === given
      ? undefined
      : 'SignatureDoesNotMatch'
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // Cast: a TCP server has an address with a port.
  const { port } = server.address() as AddressInfo
  return Object.assign(state, {
    endpoint: `http://127.0.0.1:${port}`,
    objects,
    answers,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

function answer(response: ServerResponse, status: number, code: string | undefined): void {
  response.writeHead(status, { 'content-type': 'application/xml' })
  response.end(code && `<Error><Code>${code}</Code><Message>no ${code} here</Message></Error>`)
}
