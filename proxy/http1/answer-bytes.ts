/** A local answer as the bytes of an HTTP/1.1 response. */

import { STATUS_CODES } from '../../proto/node-http.ts'
import type { LocalAnswer } from '../http/exchange.ts'

/**
 * @param withoutBody to HEAD: the length is told, the body is not sent
 * @param close tells the client that the connection ends with this answer
 */
export function answerBytes(
  { status, headers, body }: LocalAnswer,
  { date, close, withoutBody }: { date: Date; close: boolean; withoutBody: boolean },
): Buffer {
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n`
  for (const [name, value] of headers) head += `${name}: ${value.replace(/[\r\n\0]/g, ' ')}\r\n`
  if (status >= 200 && status !== 204) head += `content-length: ${Buffer.byteLength(body)}\r\n`
  head += `date: ${date.toUTCString()}\r\n`
  if (close) head += 'connection: close\r\n'
  return Buffer.from(`${head}\r\n${withoutBody ? '' : body}`)
}
