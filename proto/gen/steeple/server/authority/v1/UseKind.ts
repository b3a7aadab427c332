// Original file: proto/steeple/server/authority/v1/authority.proto

export const UseKind = {
  AGENT_SVID: 'AGENT_SVID',
  WORKLOAD_X509_SVID: 'WORKLOAD_X509_SVID',
  MINTED_X509_SVID: 'MINTED_X509_SVID',
  WORKLOAD_JWT_SVID: 'WORKLOAD_JWT_SVID',
  MINTED_JWT_SVID: 'MINTED_JWT_SVID',
  DOWNSTREAM_CA: 'DOWNSTREAM_CA',
  SERVER_SVID: 'SERVER_SVID',
} as const;

export type UseKindInput =
  | 'AGENT_SVID'
  | 0
  | 'WORKLOAD_X509_SVID'
  | 1
  | 'MINTED_X509_SVID'
  | 2
  | 'WORKLOAD_JWT_SVID'
  | 3
  | 'MINTED_JWT_SVID'
  | 4
  | 'DOWNSTREAM_CA'
  | 5
  | 'SERVER_SVID'
  | 6

export type UseKind = typeof UseKind[keyof typeof UseKind]
