/**
 * Asks a container engine, Docker or Podman, for a container and for its image, over the Unix socket of its API.
 *
 * @see https://docs.docker.com/reference/api/engine/
 */
import type { IncomingMessage } from 'node:http'
import { isRecord, listAt, textAt, textsAt } from '../../../kubernetes/object.ts'
import { request } from '../../../proto/node-http.ts'
import type { Clock } from '../../../spiffe/clock.ts'
import { deadlineIn } from '../../../spiffe/deadline.ts'
import { IdentityError, reasonOf } from '../../../spiffe/error.ts'
import { readBounded } from '../../../spiffe/read-bounded.ts'

export interface EngineContainer {
  readonly labels: Readonly<Record<string, string>>
  /** Each as `NAME=value`. */
  readonly env: readonly string[]
  /** As the container was made from it; empty when the engine does not say. */
  readonly image: string
}

export interface Engine {
  /** @throws IdentityError NOT_FOUND, or UNAVAILABLE saying what the engine answered */
  container(id: string, signal: AbortSignal): Promise<EngineContainer>
  /** Digest of an image's configuration. @throws as `container` */
  imageDigest(image: string, signal: AbortSignal): Promise<string | undefined>
}

export interface EngineOptions {
  readonly socketPath: string
  readonly apiVersion: string | undefined
  readonly clock: Clock
}

const REQUEST_TIMEOUT_MS = 10_000
const MAX_ANSWER_BYTES = 8 * 1024 * 1024
const MAX_SHOWN_CHARS = 300

export function openEngine(options: EngineOptions): Engine {
  const base = options.apiVersion === undefined ? '' : `/v${options.apiVersion}`
  const get = (path: string, signal: AbortSignal) => ask(options, `${base}${path}`, signal)
  return {
    async container(id, signal) {
      const answer = await get(`/containers/${encodeURIComponent(id)}/json`, signal)
      // An engine looks IDs up by their beginning, and names as well: only the very one is meant.
      const found = textAt(answer, 'Id')
      if (found !== id) throw failed(options, `it answered with container ${found ?? 'without ID'}`)
      const config = isRecord(answer) ? answer.Config : undefined
      if (!isRecord(config)) throw failed(options, 'it answered without a Config')
      return {
        labels: textsAt(config, 'Labels'),
        env: listAt(config, 'Env').filter((one) => typeof one === 'string'),
        image: textAt(config, 'Image') ?? '',
      }
    },
    async imageDigest(image, signal) {
      const name = image.split('/').map(encodeURIComponent).join('/')
      return textAt(await get(`/images/${name}/json`, signal), 'Id')
    },
  }
}

async function ask(options: EngineOptions, path: string, signal: AbortSignal): Promise<unknown> {
  using deadline = deadlineIn(REQUEST_TIMEOUT_MS, options.clock, signal)
  try {
    const { status, text } = await exchange(options.socketPath, path, deadline.signal)
    if (status === 200) return JSON.parse(text)
    const shown = text.trim().slice(0, MAX_SHOWN_CHARS)
    throw failed(options, `it answered GET ${path} with ${status}: ${shown}`, status)
  } catch (error) {
    if (error instanceof IdentityError) throw error
    const why = deadline.isOver
      ? `no answer within ${REQUEST_TIMEOUT_MS / 1000} s`
      : reasonOf(error)
    throw failed(options, `GET ${path}: ${why}`)
  }
}

async function exchange(socketPath: string, path: string, signal: AbortSignal) {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  // The engine looks at the name of the host only to find it well-formed.
  request({ socketPath, path, signal, headers: { host: 'localhost' } }, resolve)
    .on('error', reject)
    .end()
  const answer = await promise
  const body = await readBounded(answer, MAX_ANSWER_BYTES)
  if (body === undefined) throw new Error(`more than ${MAX_ANSWER_BYTES} bytes`)
  return { status: answer.statusCode ?? 0, text: body.toString('utf8') }
}

function failed({ socketPath }: EngineOptions, why: string, status = 0): IdentityError {
  const code = status === 404 ? 'NOT_FOUND' : 'UNAVAILABLE'
  return new IdentityError(code, `the container engine at ${socketPath}: ${why}`)
}
