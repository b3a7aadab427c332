// Original file: proto/steeple/server/authority/v1/authority.proto

export const Activation = {
  UNKNOWN: 'UNKNOWN',
  BY_SCHEDULE: 'BY_SCHEDULE',
  BY_HAND: 'BY_HAND',
} as const;

export type ActivationInput =
  | 'UNKNOWN'
  | 0
  | 'BY_SCHEDULE'
  | 1
  | 'BY_HAND'
  | 2

export type Activation = typeof Activation[keyof typeof Activation]
