/** The settings of HTTP/2 between proxies: those of ztunnel, so that neither end waits for the other's windows. */
import type { ServerOptions, Settings } from 'node:http2'

/** Bytes that a peer may send ahead on one stream, and on a connection as a whole. */
const STREAM_WINDOW_BYTES = 4 * 1024 * 1024
export const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024
const MAX_FRAME_BYTES = 1024 * 1024
const MAX_HEADER_BYTES = 64 * 1024
/** Header lines of a CONNECT, pseudo headers included. */
const MAX_HEADER_PAIRS = 64
/** Streams that one peer may have open on one connection. */
const MAX_SERVER_STREAMS = 200
/** Streams of ours on one connection; beyond it another is made. */
export const MAX_CLIENT_STREAMS = 100
/** Megabytes of one connection, beyond which it takes no new stream: four of its windows. */
const MAX_SESSION_MEGABYTES = 64
/** Frames that make no sense and streams beyond the bound, before the connection is closed. */
const MAX_INVALID_FRAMES = 100
const MAX_REJECTED_STREAMS = 100
/** Streams that a peer may reset at once, and per second after that; beyond: GOAWAY. */
const RESET_BURST = 1_000
const RESETS_PER_SECOND = 200

const settings: Settings = {
  enablePush: false,
  initialWindowSize: STREAM_WINDOW_BYTES,
  maxFrameSize: MAX_FRAME_BYTES,
  maxHeaderListSize: MAX_HEADER_BYTES,
}

const bounds = {
  maxSessionMemory: MAX_SESSION_MEGABYTES,
  maxHeaderListPairs: MAX_HEADER_PAIRS,
  strictSingleValueFields: false,
} as const

export const SERVER_SESSION: ServerOptions = {
  ...bounds,
  maxSessionInvalidFrames: MAX_INVALID_FRAMES,
  maxSessionRejectedStreams: MAX_REJECTED_STREAMS,
  streamResetBurst: RESET_BURST,
  streamResetRate: RESETS_PER_SECOND,
  settings: { ...settings, maxConcurrentStreams: MAX_SERVER_STREAMS, enableConnectProtocol: false },
}

export const CLIENT_SESSION = { ...bounds, settings } as const
