/** Fetches one small document over HTTP or HTTPS: bounded in time and size, redirects refused, trusted by CAs of one's own if need be. */
import { request as requestHttps } from 'node:https'
import { request as requestHttp } from '../../proto/node-http.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'

export interface FetchOptions {
  /** PEM; undefined: those that Node comes with. */
  readonly ca: string | undefined
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

export type FetchDocument = (url: string, options: FetchOptions) => Promise<string>

const MAX_DOCUMENT_BYTES = 1024 * 1024

/** @throws IdentityError UNAVAILABLE saying what happened, REQUEST_INVALID for another scheme */
export const fetchDocument: FetchDocument = async (url, { ca, timeoutMs, signal }) => {
  const protocol = URL.canParse(url) ? new URL(url).protocol : ''
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new IdentityError('REQUEST_INVALID', `cannot fetch ${url}: expected an http or https URL`)
  }
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const fail = (why: string, cause?: unknown) =>
    reject(new IdentityError('UNAVAILABLE', `cannot fetch ${url}: ${why}`, { cause }))
  const request = protocol === 'https:' ? requestHttps : requestHttp
  const asking = request(
    url,
    { signal, timeout: timeoutMs, agent: false, ...(ca === undefined ? {} : { ca }) },
    (response) => {
      const { statusCode = 0 } = response
      if (statusCode !== 200) {
        response.destroy()
        fail(`it answered ${statusCode}, expected 200`)
        return
      }
      const chunks: Buffer[] = []
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        chunks.push(chunk)
        if (bytes <= MAX_DOCUMENT_BYTES) return
        response.destroy()
        fail(`it is larger than ${MAX_DOCUMENT_BYTES} bytes`)
      })
      response.on('error', (error) => fail(reasonOf(error), error))
      response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
    },
  )
  asking.on('timeout', () => asking.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)))
  asking.on('error', (error) => fail(reasonOf(error), error))
  asking.end()
  return await promise
}
