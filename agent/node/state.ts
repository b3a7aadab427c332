/**
 * What the agent remembers of itself between runs: `agent-data.json` in the data directory, with the keys and the
 * form of SPIRE's agent (base64 of PEM), so that either agent can go on where the other stopped.
 */
import { join } from 'node:path'
import { z } from 'zod'
import { readJson } from '../../disk/read-json.ts'
import { replaceFile } from '../../disk/replace-file.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { fromPem, toPem } from '../../spiffe/x509/pem.ts'

export interface NodeState {
  /** DER, leaf first; empty when the agent has no SVID. */
  readonly svidChain: readonly Uint8Array[]
  /** The X.509 authorities of our trust domain, DER; empty when none are known yet. */
  readonly authorities: readonly Uint8Array[]
  readonly reattestable: boolean
  /** Undefined while the agent and the server trust each other. */
  readonly trustBegins: TrustBegins | undefined
}

/** The agent is on its way to trust a server by the bundle that the configuration names, for the first time or anew. */
export interface TrustBegins {
  readonly mode: 'bootstrap' | 'rebootstrap'
  /** When the server was found out not to be trusted, or the agent was started for the first time. */
  readonly since: Date
  /** How often that bundle has been asked for. */
  readonly attempts: number
}

export interface NodeStateStore {
  read(): Promise<NodeState>
  /** Resolves when the disk has it. Calls are carried out one after the other. */
  write(state: NodeState): Promise<void>
}

export const NO_STATE: NodeState = {
  svidChain: [],
  authorities: [],
  reattestable: false,
  trustBegins: undefined,
}

const FILE = z.object({
  svid: z.array(z.base64()).nullish(),
  bundle: z.array(z.base64()).nullish(),
  reattestable: z.boolean().optional(),
  bootstrap_use: z.number().optional(),
  bootstrap_start_time: z.string().optional(),
  connection_attempts: z.number().int().nonnegative().optional(),
})
/** A chain and a few authorities are some kilobytes. */
const MAX_FILE_BYTES = 16 << 20
const ADVICE = 'remove it, and start the agent with a new join token'

/** SPIRE's numbers: an agent that has its bundle can only rebootstrap. */
const USE = { bootstrap: 1, rebootstrap: 2 } as const
/** Go's zero time: nothing has begun. */
const NEVER = '0001-01-01T00:00:00Z'

export function openNodeState(dataDir: string): NodeStateStore {
  const path = join(dataDir, 'agent-data.json')
  let last: Promise<void> = Promise.resolve()
  return {
    /** @throws IdentityError CONFIG_INVALID when the file is damaged */
    async read() {
      const file = await readJson(path, FILE, { advice: ADVICE, maxBytes: MAX_FILE_BYTES })
      if (file === undefined) return NO_STATE
      return {
        svidChain: decode(path, 'svid', file.svid ?? []),
        authorities: decode(path, 'bundle', file.bundle ?? []),
        reattestable: file.reattestable ?? false,
        trustBegins: readTrustBegins(file),
      }
    },
    write({ svidChain, authorities, reattestable, trustBegins }) {
      const text = JSON.stringify({
        svid: svidChain.length === 0 ? null : svidChain.map(encode),
        bundle: authorities.length === 0 ? null : authorities.map(encode),
        reattestable,
        bootstrap_use: USE[trustBegins?.mode ?? 'rebootstrap'],
        bootstrap_start_time: trustBegins?.since.toISOString() ?? NEVER,
        connection_attempts: trustBegins?.attempts ?? 0,
      })
      const write = last.then(() => replaceFile(path, text, { durable: true }))
      last = write.catch(() => {}) // the caller hears of it; the next write is not hindered
      return write
    },
  }
}

function readTrustBegins(file: z.infer<typeof FILE>): TrustBegins | undefined {
  const { bootstrap_use: use, bootstrap_start_time: written = NEVER } = file
  const since = new Date(written)
  if (written === NEVER || Number.isNaN(since.getTime())) return undefined
  const mode = use === USE.bootstrap ? 'bootstrap' : 'rebootstrap'
  return { mode, since, attempts: file.connection_attempts ?? 0 }
}

function encode(der: Uint8Array): string {
  return Buffer.from(toPem('CERTIFICATE', der)).toString('base64')
}

function decode(path: string, key: string, texts: readonly string[]): readonly Uint8Array[] {
  try {
    return texts.flatMap((text) => fromPem('CERTIFICATE', Buffer.from(text, 'base64').toString()))
  } catch (error) {
    const why = `${path} is damaged: ${key}: ${reasonOf(error)}; ${ADVICE}`
    throw new IdentityError('CONFIG_INVALID', why, { cause: error })
  }
}
