/** Runs a program in a container that is there, as `kubectl exec` does, and hears what it prints. */
import { Writable } from 'node:stream'
import type { Clock } from '../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../spiffe/error.ts'
import { isRecord, listAt, recordAt, textAt } from './object.ts'
import { type ClusterOptions, readKubeconfig } from './open-cluster.ts'

export interface PodContainer {
  readonly namespace: string
  readonly pod: string
  readonly container: string
}

export interface RanInPod {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** @throws IdentityError UNAVAILABLE when the container cannot be reached, or the program does not end in time */
export type RunInPod = (where: PodContainer, command: readonly string[]) => Promise<RanInPod>

const TIMEOUT_MS = 60_000
/** Of each of the two streams. */
const MAX_PRINTED_BYTES = 256 * 1024 * 1024

/** @throws IdentityError CONFIG_INVALID when the kubeconfig cannot be used */
export async function openRunInPod(options: ClusterOptions, clock: Clock): Promise<RunInPod> {
  const { config } = await readKubeconfig(options)
  const { Exec } = await import('@kubernetes/client-node')
  return async ({ namespace, pod, container }, command) => {
    const over = Promise.withResolvers<unknown>()
    over.promise.catch(() => {}) // it may fail before anybody waits for it
    const patience = new AbortController()
    const [stdout, stderr] = [hear(over.reject), hear(over.reject)]
    try {
      const socket = await new Exec(config).exec(
        ...([namespace, pod, container] as const),
        [...command],
        ...([stdout.stream, stderr.stream, null, false, over.resolve] as const),
      )
      socket.addEventListener('close', () => over.reject(new Error('the connection was closed')))
      void clock.sleep(TIMEOUT_MS, patience.signal).then(() => {
        over.reject(new Error(`it did not end within ${TIMEOUT_MS / 1000} s`))
      })
      try {
        const code = exitCodeOf(await over.promise)
        return { code, stdout: stdout.text(), stderr: stderr.text() }
      } finally {
        socket.close()
      }
    } catch (error) {
      // Words with spaces are programs in themselves.
      const words = command.filter((word) => !/\s/.test(word)).slice(0, 4)
      const what = `${words.join(' ')} in pod ${namespace}/${pod}`
      throw new IdentityError('UNAVAILABLE', `cannot run ${what}: ${whyOf(error)}`)
    } finally {
      patience.abort()
    }
  }
}

function hear(fail: (error: Error) => void) {
  const chunks: Buffer[] = []
  let bytes = 0
  const stream = new Writable({
    write(chunk: Buffer, _, done) {
      bytes += chunk.length
      if (bytes > MAX_PRINTED_BYTES) {
        fail(new Error(`it printed more than ${MAX_PRINTED_BYTES} bytes`))
      } else {
        chunks.push(Buffer.from(chunk))
      }
      done()
    },
  })
  return { stream, text: () => Buffer.concat(chunks).toString('utf8') }
}

/** @param status as the API server ends the conversation with */
function exitCodeOf(status: unknown): number {
  if (textAt(status, 'status') === 'Success') return 0
  for (const cause of listAt(recordAt(status, 'details'), 'causes')) {
    const code = Number(textAt(cause, 'message'))
    if (textAt(cause, 'reason') === 'ExitCode' && Number.isInteger(code)) return code
  }
  throw new Error(textAt(status, 'message') ?? 'it gave no reason')
}

/** What the library throws when a connection is refused is an event, not an error. */
function whyOf(error: unknown): string {
  if (error instanceof Error) return reasonOf(error)
  return (isRecord(error) && textAt(error, 'message')) || 'the connection was refused'
}
