/**
 * An ordinary workload, in a process of its own, so that it is counted by itself. Told a path over its channel, it asks there as any
 * program does: is the agent healthy, which bundles are there; each over a connection of its own. It answers with what it got.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { credentials, Metadata } from '@grpc/grpc-js'
import { healthApi, workloadApi } from '../../proto/load.ts'
import { reasonOf } from '../../spiffe/error.ts'

/** Each call has a connection of its own. */
const OWN_CONNECTION = { 'grpc.use_local_subchannel_pool': 1 } as const
export const SERVED = 'served'

export interface HonestCaller extends AsyncDisposable {
  /** Asks a Workload API. @returns `SERVED`, or why it was not */
  ask(socketPath: string): Promise<string>
  /** Asks for health alone, which every socket of ours tells. */
  isHealthy(socketPath: string): Promise<boolean>
}

interface Wish {
  readonly socketPath: string
  readonly what: 'health' | 'bundles'
}

export function startHonestCaller(): HonestCaller {
  const child: ChildProcess = fork(import.meta.filename, { stdio: 'inherit' })
  const ask = async (wish: Wish) => {
    child.send(wish)
    const [answer] = await once(child, 'message')
    return String(answer)
  }
  return {
    ask: (socketPath) => ask({ socketPath, what: 'bundles' }),
    isHealthy: async (socketPath) => (await ask({ socketPath, what: 'health' })) === SERVED,
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    },
  }
}

async function askHealth(address: string): Promise<string> {
  const client = new (healthApi())(address, credentials.createInsecure(), OWN_CONNECTION)
  return await new Promise<string>((resolve) => {
    client.Check({}, (error, reply) => resolve(error?.message ?? String(reply?.status)))
  }).finally(() => client.close())
}

/** The first message of the stream is enough. */
async function fetchBundles(address: string): Promise<string> {
  const client = new (workloadApi())(address, credentials.createInsecure(), OWN_CONNECTION)
  const metadata = new Metadata()
  metadata.set('workload.spiffe.io', 'true')
  const stream = client.FetchX509Bundles({}, metadata)
  stream.on('error', () => {}) // that it was cancelled
  return await new Promise<string>((resolve) => {
    stream.once('data', () => resolve(SERVED))
    stream.once('error', (error) => resolve(reasonOf(error)))
  }).finally(() => {
    stream.cancel()
    client.close()
  })
}

async function answer({ socketPath, what }: Wish): Promise<string> {
  const address = `unix:${socketPath}`
  const health = await askHealth(address)
  if (health !== 'SERVING') return health
  return what === 'health' ? SERVED : await fetchBundles(address)
}

if (process.argv[1] === import.meta.filename) {
  process.on('message', (wish: Wish) => {
    void answer(wish).then((text) => process.send?.(text))
  })
}
