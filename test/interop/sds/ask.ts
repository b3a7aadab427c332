/** Raw calls of secret discovery: a script of requests on one stream, and everything that came back. */
import { credentials, type ServiceError, status } from '@grpc/grpc-js'
import { SECRET_TYPE_URL } from '../../../agent/sds/encode-secret.ts'
import type { DeltaDiscoveryResponse } from '../../../proto/gen/envoy/service/discovery/v3/DeltaDiscoveryResponse.ts'
import type { DiscoveryRequestInput } from '../../../proto/gen/envoy/service/discovery/v3/DiscoveryRequest.ts'
import type { DiscoveryResponse } from '../../../proto/gen/envoy/service/discovery/v3/DiscoveryResponse.ts'
import { secretDiscoveryApi } from '../../../proto/load.ts'
import { isServiceError } from '../../../proto/status.ts'

/** `LAST` where the nonce or the version of the last answer belongs. */
export const LAST = '<last>'

export interface Step {
  readonly request: DiscoveryRequestInput
  /** An answer, or the end of the stream, is waited for; otherwise the next request follows at once. */
  readonly isAnswered: boolean
}

export interface Told {
  readonly answers: readonly DiscoveryResponse[]
  /** Empty when the stream went on. */
  readonly code: string
  readonly text: string
}

function openSds(socket: string) {
  const options = { 'grpc.max_receive_message_length': -1 }
  return new (secretDiscoveryApi())(`unix:${socket}`, credentials.createInsecure(), options)
}

/** The request that Envoy sends, unless told otherwise. */
export const asking = (
  names: readonly string[],
  change: DiscoveryRequestInput = {},
): DiscoveryRequestInput => ({ resource_names: [...names], type_url: SECRET_TYPE_URL, ...change })

export async function fetchOnce(socket: string, request: DiscoveryRequestInput): Promise<Told> {
  const client = openSds(socket)
  try {
    const answer = await new Promise<DiscoveryResponse>((resolve, reject) => {
      client.FetchSecrets(request, (error, response) =>
        response === undefined ? reject(error) : resolve(response),
      )
    })
    return { answers: [answer], code: '', text: '' }
  } catch (error) {
    return { answers: [], ...failureOf(error) }
  } finally {
    client.close()
  }
}

/** A stream that stays open. */
export interface OpenStream extends Disposable {
  say(request: DiscoveryRequestInput): void
  /** Whatever comes next: one answer, or how the stream ended. */
  next(): Promise<Told>
}

export function openStream(socket: string): OpenStream {
  const client = openSds(socket)
  const stream = client.StreamSecrets()
  const coming: AsyncIterator<DiscoveryResponse> = stream[Symbol.asyncIterator]()
  return {
    say: (request) => void stream.write(request),
    async next() {
      try {
        const next = await coming.next()
        if (next.done === true) return { answers: [], code: 'OK', text: 'the stream has ended' }
        return { answers: [next.value], code: '', text: '' }
      } catch (error) {
        return { answers: [], ...failureOf(error) }
      }
    },
    [Symbol.dispose]() {
      stream.cancel()
      client.close()
    },
  }
}

/** All steps on one stream, which is left open until the last of them has been answered. */
export async function converseOnce(socket: string, steps: readonly Step[]): Promise<Told> {
  using stream = openStream(socket)
  const answers: DiscoveryResponse[] = []
  for (const { request, isAnswered } of steps) {
    const last = answers.at(-1)
    stream.say({
      ...request,
      ...(request.response_nonce === LAST ? { response_nonce: last?.nonce ?? '' } : {}),
      ...(request.version_info === LAST ? { version_info: last?.version_info ?? '' } : {}),
    })
    if (!isAnswered) continue
    const told = await stream.next()
    answers.push(...told.answers)
    if (told.code !== '') return { ...told, answers }
  }
  return { answers, code: '', text: '' }
}

/** The first answer of DeltaSecrets, by name what is new and what there is not, or how the call ended. */
export async function askDelta(socket: string, names: readonly string[]) {
  const client = openSds(socket)
  const stream = client.DeltaSecrets()
  stream.on('error', () => {}) // told by the iterator
  try {
    stream.write({ resource_names_subscribe: [...names], type_url: SECRET_TYPE_URL })
    for await (const answer of stream) {
      const { resources, removed_resources: removed } = answer as DeltaDiscoveryResponse
      return { code: '', names: resources.map(({ name }) => name), removed }
    }
    return { code: 'OK', names: [], removed: [] }
  } catch (error) {
    return { code: failureOf(error).code, names: [], removed: [] }
  } finally {
    stream.cancel()
    client.close()
  }
}

function failureOf(error: unknown): { readonly code: string; readonly text: string } {
  if (!isServiceError(error)) throw error
  const { code, details }: ServiceError = error
  return { code: status[code], text: details }
}
