// Original file: proto/steeple/server/authority/v1/authority.proto

export const Step = {
  STEP_UNSPECIFIED: 'STEP_UNSPECIFIED',
  PREPARE: 'PREPARE',
  ACTIVATE: 'ACTIVATE',
  TAINT: 'TAINT',
  REVOKE: 'REVOKE',
  DISCARD: 'DISCARD',
} as const;

export type StepInput =
  | 'STEP_UNSPECIFIED'
  | 0
  | 'PREPARE'
  | 1
  | 'ACTIVATE'
  | 2
  | 'TAINT'
  | 3
  | 'REVOKE'
  | 4
  | 'DISCARD'
  | 5

export type Step = typeof Step[keyof typeof Step]
