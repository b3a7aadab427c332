/** Many workloads of one node: a connection and a stream of X.509-SVIDs each, as many programs would have. Messages are counted, not read. */
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { systemClock } from '../../spiffe/clock.ts'

export interface WorkloadStreams extends Disposable {
  /** Resolves when each stream has got `count` messages. @returns when, on the clock of `performance.now`, each got that one, sorted */
  received(count: number): Promise<readonly number[]>
  /** Streams that ended so far: refused, and opened anew. */
  retries(): number
}

interface Waiting {
  readonly count: number
  readonly done: () => void
}

/** Between a refusal and the next attempt, as a patient client's. */
const RETRY_MS = 200
const FRAME_HEAD_BYTES = 5

/** Opens them all at once; a stream that is refused is opened anew until it is served. */
export function openStreams(socket: string, streams: number): WorkloadStreams {
  const sessions = new Set<ClientHttp2Session>()
  const times: number[][] = Array.from({ length: streams }, () => [])
  const waiting = new Set<Waiting>()
  const over = new AbortController()
  let retries = 0
  const tell = () => {
    for (const one of waiting) {
      if (times.some(({ length }) => length < one.count)) continue
      waiting.delete(one)
      one.done()
    }
  }
  const open = (at: number) => {
    if (over.signal.aborted) return
    const session = connectHttp2('http://localhost', { createConnection: () => connect(socket) })
    sessions.add(session)
    const again = () => {
      if (!sessions.delete(session)) return
      session.destroy()
      if (over.signal.aborted) return
      retries++
      void systemClock.sleep(RETRY_MS, over.signal).then(() => open(at))
    }
    session.on('error', again)
    const stream = session.request({
      ':method': 'POST',
      ':path': '/SpiffeWorkloadAPI/FetchX509SVID',
      'content-type': 'application/grpc',
      te: 'trailers',
      'workload.spiffe.io': 'true',
    })
    const counted = countMessages(() => {
      times[at]?.push(performance.now())
      tell()
    })
    stream.on('data', counted).on('error', again).on('close', again)
    stream.end(Buffer.alloc(FRAME_HEAD_BYTES))
  }
  for (let at = 0; at < streams; at++) open(at)
  return {
    received: (count) =>
      new Promise((resolve) => {
        const done = () =>
          resolve(times.map((all) => all[count - 1] ?? 0).toSorted((a, b) => a - b))
        waiting.add({ count, done })
        tell()
      }),
    retries: () => retries,
    [Symbol.dispose]() {
      over.abort()
      for (const session of sessions) session.destroy()
    },
  }
}

/** @returns what takes the chunks of a stream, and says when a message is complete */
function countMessages(onMessage: () => void): (chunk: Buffer) => void {
  let head = Buffer.alloc(0)
  let left = 0
  return (chunk) => {
    let rest = chunk
    while (rest.length > 0) {
      if (left > 0) {
        const taken = Math.min(left, rest.length)
        left -= taken
        rest = rest.subarray(taken)
        if (left === 0) onMessage()
        continue
      }
      const taken = Math.min(FRAME_HEAD_BYTES - head.length, rest.length)
      head = Buffer.concat([head, rest.subarray(0, taken)])
      rest = rest.subarray(taken)
      if (head.length < FRAME_HEAD_BYTES) continue
      left = head.readUInt32BE(1)
      head = Buffer.alloc(0)
      if (left === 0) onMessage()
    }
  }
}
