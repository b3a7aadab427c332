/** Asks as a client that knows nothing of proxies: one request on a connection of its own, its answer read to the end. */
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'

/** @returns the status. @throws the system's error when there is no connection or no answer */
export async function get(
  port: number,
  path = '/',
  headers: Readonly<Record<string, string>> = {},
): Promise<number | undefined> {
  const asking = request({ host: '127.0.0.1', port, path, headers, agent: false })
  asking.end()
  const [response]: IncomingMessage[] = await once(asking, 'response')
  await response?.toArray()
  return response?.statusCode
}
