// Original file: proto/steeple/server/authority/v1/authority.proto

import type { KindInput as _steeple_server_authority_v1_KindInput, Kind as _steeple_server_authority_v1_Kind } from '../../../../steeple/server/authority/v1/Kind.ts';
import type { StepInput as _steeple_server_authority_v1_StepInput, Step as _steeple_server_authority_v1_Step } from '../../../../steeple/server/authority/v1/Step.ts';

export interface TakeStepRequestInput {
  'kind'?: (_steeple_server_authority_v1_KindInput);
  'step'?: (_steeple_server_authority_v1_StepInput);
  'server_key'?: (string);
  'authority_id'?: (string);
  'left_out'?: (string)[];
}

export interface TakeStepRequest {
  'kind': (_steeple_server_authority_v1_Kind);
  'step': (_steeple_server_authority_v1_Step);
  'server_key': (string);
  'authority_id': (string);
  'left_out': (string)[];
}
