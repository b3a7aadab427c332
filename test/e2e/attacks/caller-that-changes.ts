/** Starts `attacker.py`, and asks over its connection. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { askIdentities } from './ask-identities.ts'

const PROGRAM = join(import.meta.dirname, 'attacker.py')

export interface Program {
  /** The path of what runs in the end, as the kernel states it. */
  readonly path: string
  /** Instead of the path alone: what starts it. */
  readonly words?: readonly string[]
}

const SECONDS = '600'

export interface Change {
  /** Socket of the Workload API. */
  readonly api: string
  /** A directory for the relay's socket. */
  readonly dir: string
  readonly uid: number
  /** The agent is stopped from before the connection until after the change. */
  readonly whileAgentSleeps?: number
  /** What becomes of the process that connected; `as` is the user of who gets its number. */
  readonly then:
    | { readonly kind: 'stays' }
    | { readonly kind: 'dies'; readonly as: number; readonly program: Program }
    | { readonly kind: 'execs'; readonly program: Program }
  /** Last steps of SPIFFE IDs that may come. */
  readonly names: readonly string[]
}

/** @returns as `askIdentities` @throws Error with what the attacker printed when it failed before asking */
export async function askAfterChange(change: Change) {
  const { api, dir, uid, then, names, whileAgentSleeps: agentPid } = change
  const relay = join(dir, `${then.kind}.relay`)
  const when = agentPid === undefined ? 'accepted' : 'waiting'
  const victim =
    then.kind === 'stays'
      ? []
      : [
          String(then.kind === 'dies' ? then.as : uid),
          then.program.path,
          ...(then.program.words ?? [then.program.path, SECONDS]),
        ]
  if (agentPid !== undefined) process.kill(agentPid, 'SIGSTOP')
  const attacker = spawn('python3', [PROGRAM, api, relay, String(uid), when, then.kind, ...victim])
  const ended = once(attacker, 'exit')
  let errors = ''
  attacker.stderr.on('data', (text) => {
    errors += text
  })
  const lines = createInterface({ input: attacker.stdout })[Symbol.asyncIterator]()
  const line = async (wanted: string) => {
    const { value } = await lines.next()
    if (value !== wanted) throw new Error(`the attacker never was ${wanted}: ${errors}`)
  }
  try {
    await line('connected')
    attacker.stdin.end('go\n')
    await line('changed')
    if (agentPid !== undefined) process.kill(agentPid, 'SIGCONT')
    return await askIdentities(relay, names)
  } finally {
    if (agentPid !== undefined) process.kill(agentPid, 'SIGCONT')
    attacker.kill('SIGTERM')
    await ended
  }
}
