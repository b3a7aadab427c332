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
}

export interface NodeStateStore {
  read(): Promise<NodeState>
  /** Resolves when the disk has it. Calls are carried out one after the other. */
  write(state: NodeState): Promise<void>
}

export const NO_STATE: NodeState = { svidChain: [], authorities: [], reattestable: false }

const FILE = z.object({
  svid: z.array(z.base64()).nullish(),
  bundle: z.array(z.base64()).nullish(),
  reattestable: z.boolean().optional(),
})
const ADVICE = 'remove it, and start the agent with a new join token'

/** How SPIRE's agent notes that it got its bundle, that it is not rebootstrapping, and Go's zero time. */
const SETTLED = {
  bootstrap_use: 2,
  bootstrap_start_time: '0001-01-01T00:00:00Z',
  connection_attempts: 0,
}

export function openNodeState(dataDir: string): NodeStateStore {
  const path = join(dataDir, 'agent-data.json')
  let last: Promise<void> = Promise.resolve()
  return {
    /** @throws IdentityError CONFIG_INVALID when the file is damaged */
    async read() {
      const file = await readJson(path, FILE, ADVICE)
      if (file === undefined) return NO_STATE
      return {
        svidChain: decode(path, 'svid', file.svid ?? []),
        authorities: decode(path, 'bundle', file.bundle ?? []),
        reattestable: file.reattestable ?? false,
      }
    },
    write({ svidChain, authorities, reattestable }) {
      const text = JSON.stringify({
        svid: svidChain.length === 0 ? null : svidChain.map(encode),
        bundle: authorities.length === 0 ? null : authorities.map(encode),
        reattestable,
        ...SETTLED,
      })
      const write = last.then(() => replaceFile(path, text, { durable: true }))
      last = write.catch(() => {}) // the caller hears of it; the next write is not hindered
      return write
    },
  }
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
