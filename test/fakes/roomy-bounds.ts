/** Bounds of a socket that no test reaches unless it means to. */
import type { StreamBounds } from '../../proto/bound-streams.ts'

const PLENTY = { perProcess: 1_000_000, total: 2_000_000 }

export const ROOMY: StreamBounds = { streams: PLENTY, requestBytes: PLENTY, unsentBytes: PLENTY }
