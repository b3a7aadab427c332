// Original file: proto/steeple/server/authority/v1/authority.proto

export const ServerState = {
  HERE: 'HERE',
  LIVING: 'LIVING',
  MUTE: 'MUTE',
  SILENT: 'SILENT',
  STOPPED: 'STOPPED',
} as const;

export type ServerStateInput =
  | 'HERE'
  | 0
  | 'LIVING'
  | 1
  | 'MUTE'
  | 2
  | 'SILENT'
  | 3
  | 'STOPPED'
  | 4

export type ServerState = typeof ServerState[keyof typeof ServerState]
