// Original file: proto/steeple/server/authority/v1/authority.proto

export const Kind = {
  KIND_UNSPECIFIED: 'KIND_UNSPECIFIED',
  X509: 'X509',
  JWT: 'JWT',
} as const;

export type KindInput =
  | 'KIND_UNSPECIFIED'
  | 0
  | 'X509'
  | 1
  | 'JWT'
  | 2

export type Kind = typeof Kind[keyof typeof Kind]
