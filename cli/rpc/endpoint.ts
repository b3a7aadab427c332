/**
 * A server or agent at its Unix socket, for as long as one command runs. Every call ends, at the latest by its
 * deadline, and fails in the words of `rpc-error.ts`.
 */
import { resolve } from 'node:path'
import {
  type CallOptions,
  type ChannelCredentials,
  type Client,
  credentials,
  type ServiceError,
} from '@grpc/grpc-js'
import { isServiceError } from '../../proto/status.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { Session } from '../command.ts'
import { toRpcError } from './rpc-error.ts'
import { AGENT_SOCKET, resolveSocketPath, SERVER_SOCKET, type SocketFlags } from './socket-path.ts'

export type Done<Response> = (error: ServiceError | null, response?: Response) => void

export interface Endpoint extends Disposable {
  client<C extends Client>(api: new (target: string, by: ChannelCredentials) => C): C
  /** @throws IdentityError */
  call<Response>(start: (options: CallOptions, done: Done<Response>) => unknown): Promise<Response>
  /** For streams: the deadline of what is called now, and what an error of theirs means. */
  options(): CallOptions
  refusal(error: unknown): IdentityError
}

/** As SPIRE's commands. */
const SERVER_TIMEOUT_MS = 30_000
/** An attestor may look for a while before it says what a process is. */
const ADMIN_TIMEOUT_MS = 60_000

/** @throws IdentityError REQUEST_INVALID when the socket cannot be told */
export function connectServer(flags: SocketFlags, { terminal, clock }: Session): Endpoint {
  const socketPath = resolveSocketPath(flags, SERVER_SOCKET, terminal.env)
  const dialed = socketPath.startsWith('/') ? `//${socketPath}` : socketPath
  return connect({ socketPath, dialed, timeoutMs: SERVER_TIMEOUT_MS, clock })
}

/** The admin socket of an agent. */
export function connectAgentAdmin(socketPath: string, { clock }: Session): Endpoint {
  const dialed = socketPath.startsWith('/') ? `//${socketPath}` : socketPath
  return connect({ socketPath, dialed, timeoutMs: ADMIN_TIMEOUT_MS, clock })
}

/** @param timeoutMs undefined: calls may take for ever */
export function connectAgent(
  flags: SocketFlags,
  timeoutMs: number | undefined,
  { terminal, clock }: Session,
): Endpoint {
  const dialed = resolve(resolveSocketPath(flags, AGENT_SOCKET, terminal.env))
  return connect({ socketPath: dialed, dialed, timeoutMs, clock })
}

interface ConnectOptions {
  readonly socketPath: string
  /** The path as error messages have it. */
  readonly dialed: string
  readonly timeoutMs: number | undefined
  readonly clock: Clock
}

function connect({ socketPath, dialed, timeoutMs, clock }: ConnectOptions): Endpoint {
  const clients: Client[] = []
  const options = (): CallOptions =>
    timeoutMs === undefined ? {} : { deadline: new Date(clock.now().getTime() + timeoutMs) }
  const refusal = (error: unknown): IdentityError => {
    if (isServiceError(error)) return toRpcError(error, socketPath, dialed)
    throw error
  }
  return {
    client(Api) {
      const client = new Api(`unix:${resolve(socketPath)}`, credentials.createInsecure())
      clients.push(client)
      return client
    },
    options,
    refusal,
    call(start) {
      return new Promise((fulfil, reject) => {
        start(options(), (error, response) => {
          if (error !== null) reject(refusal(error))
          else if (response !== undefined) fulfil(response)
          else reject(new IdentityError('INTERNAL', 'the answer is empty'))
        })
      })
    },
    [Symbol.dispose]() {
      for (const client of clients) client.close()
    },
  }
}

/** Puts what was attempted before what went wrong. */
export async function attempting<T>(what: string, attempt: Promise<T>): Promise<T> {
  try {
    return await attempt
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    throw new IdentityError(error.code, `${what}: ${reasonOf(error)}`, { cause: error })
  }
}
