/**
 * Asks the kubelet of this node for its pods, over its secure port with the agent's token or certificate, or over its
 * read-only port. Credentials are read from disk again as they are exchanged there, and never logged.
 *
 * @see SPIRE behaviour §4 — kubelet
 */
import { readFileSync } from 'node:fs'
import type { Agent, IncomingMessage } from 'node:http'
import { type AgentOptions, Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { isRecord } from '../../../kubernetes/object.ts'
import { Agent as HttpAgent, request as requestHttp } from '../../../proto/node-http.ts'
import type { Clock } from '../../../spiffe/clock.ts'
import { deadlineIn } from '../../../spiffe/deadline.ts'
import { IdentityError, reasonOf } from '../../../spiffe/error.ts'
import { readBounded } from '../../../spiffe/read-bounded.ts'
import { type Pod, readPod } from './pod.ts'

export type KubeletCredentials =
  | { readonly kind: 'token'; readonly path: string }
  | { readonly kind: 'certificate'; readonly certificatePath: string; readonly keyPath: string }
  | { readonly kind: 'anonymous' }

export type KubeletConfig =
  | { readonly kind: 'read-only'; readonly port: number }
  | {
      readonly kind: 'secure'
      readonly port: number
      /** Where the kubelet is, and what its certificate must name; undefined: 127.0.0.1, and whatever it names. */
      readonly nodeName: string | undefined
      /** CA certificates that the kubelet's own must come from; undefined: it is not verified. */
      readonly caPath: string | undefined
      readonly credentials: KubeletCredentials
      readonly reloadIntervalMs: number
    }

export interface Kubelet extends Disposable {
  /** Reads what it shows to the kubelet. @throws IdentityError CONFIG_INVALID when a file cannot be read */
  check(): void
  /** @throws IdentityError UNAVAILABLE saying what the kubelet answered, or what it listed that cannot be */
  pods(signal: AbortSignal): Promise<readonly Pod[]>
}

const LOOPBACK = '127.0.0.1'
const REQUEST_TIMEOUT_MS = 10_000
/** Of some hundred pods; more is refused. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024
const MAX_SHOWN_CHARS = 300

export function openKubelet(config: KubeletConfig, clock: Clock): Kubelet {
  const connect = config.kind === 'secure' ? secureConnection(config, clock) : plainConnection()
  const host = (config.kind === 'secure' ? config.nodeName : undefined) ?? LOOPBACK
  const scheme = config.kind === 'secure' ? 'https' : 'http'
  const origin = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${config.port}`
  return {
    check() {
      try {
        connect.open()
      } catch (cause) {
        const why = `WorkloadAttestor.k8s cannot ask the kubelet: ${reasonOf(cause)}`
        throw new IdentityError('CONFIG_INVALID', why, { cause })
      }
    },
    async pods(signal) {
      using deadline = deadlineIn(REQUEST_TIMEOUT_MS, clock, signal)
      try {
        return readPods(await ask(`${origin}/pods`, connect.open(), deadline.signal))
      } catch (error) {
        connect.forget()
        const why = deadline.isOver
          ? `no answer within ${REQUEST_TIMEOUT_MS / 1000} s`
          : reasonOf(error)
        throw new IdentityError('UNAVAILABLE', `the kubelet at ${origin} gave no pods: ${why}`, {
          cause: error,
        })
      }
    },
    [Symbol.dispose]: connect.close,
  }
}

interface Connection {
  readonly agent: Agent
  readonly headers: Readonly<Record<string, string>>
}

interface Connector {
  /** @throws the system's error for a file that cannot be read */
  open(): Connection
  /** What was read from disk is read again next time: it may have been exchanged there. */
  forget(): void
  close(): void
}

function plainConnection(): Connector {
  const agent = new HttpAgent({ keepAlive: true, maxSockets: 1 })
  return {
    open: () => ({ agent, headers: {} }),
    forget() {},
    close: () => agent.destroy(),
  }
}

type Secure = Extract<KubeletConfig, { readonly kind: 'secure' }>

/** The connection stays while what it was made of is on disk unchanged. */
function secureConnection(config: Secure, clock: Clock): Connector {
  let kept: { readonly from: string; readonly agent: HttpsAgent } | undefined
  let loaded: { readonly at: number; readonly headers: Connection['headers'] } | undefined
  return {
    open() {
      const now = clock.now().getTime()
      if (kept !== undefined && loaded !== undefined && now - loaded.at < config.reloadIntervalMs) {
        return { agent: kept.agent, headers: loaded.headers }
      }
      const { tls, headers } = loadCredentials(config)
      const from = JSON.stringify(tls)
      if (kept?.from !== from) {
        kept?.agent.destroy()
        kept = { from, agent: new HttpsAgent({ ...tls, ...verification(config), ...KEPT_ALIVE }) }
      }
      loaded = { at: now, headers }
      return { agent: kept.agent, headers }
    },
    forget() {
      loaded = undefined
    },
    close: () => kept?.agent.destroy(),
  }
}

const KEPT_ALIVE = { keepAlive: true, maxSockets: 1 } as const

function loadCredentials({ caPath, credentials }: Secure) {
  const tls = caPath === undefined ? {} : { ca: readFileSync(caPath, 'utf8') }
  switch (credentials.kind) {
    case 'anonymous':
      return { tls, headers: {} }
    case 'certificate': {
      const cert = readFileSync(credentials.certificatePath, 'utf8')
      const key = readFileSync(credentials.keyPath, 'utf8')
      return { tls: { ...tls, cert, key }, headers: {} }
    }
    case 'token': {
      const token = readFileSync(credentials.path, 'utf8').trim()
      return { tls, headers: { authorization: `Bearer ${token}` } }
    }
    default:
      return credentials satisfies never
  }
}

/** Without a node's name the chain is verified alone: at 127.0.0.1 nobody else can be meant. */
function verification({ nodeName, caPath }: Secure): AgentOptions {
  if (caPath === undefined) return { rejectUnauthorized: false }
  return nodeName === undefined ? { checkServerIdentity: () => undefined } : {}
}

async function ask(url: string, { agent, headers }: Connection, signal: AbortSignal) {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const request = url.startsWith('https:') ? requestHttps : requestHttp
  request(url, { agent, headers, signal }, resolve).on('error', reject).end()
  const answer = await promise
  const body = await readBounded(answer, MAX_ANSWER_BYTES)
  if (body === undefined) throw new Error(`its answer has more than ${MAX_ANSWER_BYTES} bytes`)
  const text = body.toString('utf8')
  if (answer.statusCode === 200) return text
  throw new Error(`it answered ${answer.statusCode}: ${text.trim().slice(0, MAX_SHOWN_CHARS)}`)
}

/**
 * A list in which one thing cannot be is not believed in any other. Pods without a UID are left out.
 * @throws Error saying what is wrong with it
 */
function readPods(text: string): readonly Pod[] {
  const list: unknown = parse(text)
  const items = isRecord(list) ? list.items : undefined
  if (items !== null && !Array.isArray(items)) throw new Error('its answer has no list of items')
  const pods = (items ?? []).flatMap((item) => readPod(item) ?? [])
  const [first] = pods
  const foreign = pods.find(({ nodeName }) => nodeName !== first?.nodeName)
  if (foreign !== undefined && first !== undefined) {
    throw new Error(
      `it lists pods of two nodes, ${JSON.stringify(first.nodeName)} and ${JSON.stringify(foreign.nodeName)}, and a kubelet has only its own`,
    )
  }
  return pods
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`its answer is no JSON: ${reasonOf(error).slice(0, MAX_SHOWN_CHARS)}`)
  }
}
