// Original file: proto/steeple/server/authority/v1/authority.proto

export const FollowerKind = {
  AGENT: 'AGENT',
  DOWNSTREAM: 'DOWNSTREAM',
} as const;

export type FollowerKindInput =
  | 'AGENT'
  | 0
  | 'DOWNSTREAM'
  | 1

export type FollowerKind = typeof FollowerKind[keyof typeof FollowerKind]
