// Original file: proto/steeple/server/authority/v1/authority.proto

import type { StandingInput as _steeple_server_authority_v1_StandingInput, Standing as _steeple_server_authority_v1_Standing } from '../../../../steeple/server/authority/v1/Standing.ts';
import type { ActivationInput as _steeple_server_authority_v1_ActivationInput, Activation as _steeple_server_authority_v1_Activation } from '../../../../steeple/server/authority/v1/Activation.ts';

export interface GetProgressResponseInput {
  'prepared'?: (_steeple_server_authority_v1_StandingInput | null);
  'active'?: (_steeple_server_authority_v1_StandingInput | null);
  'old'?: (_steeple_server_authority_v1_StandingInput | null);
  'has_upstream'?: (boolean);
  'activation'?: (_steeple_server_authority_v1_ActivationInput);
  'follower_count'?: (number);
  'expired_agent_count'?: (number);
}

export interface GetProgressResponse {
  'prepared': (_steeple_server_authority_v1_Standing | null);
  'active': (_steeple_server_authority_v1_Standing | null);
  'old': (_steeple_server_authority_v1_Standing | null);
  'has_upstream': (boolean);
  'activation': (_steeple_server_authority_v1_Activation);
  'follower_count': (number);
  'expired_agent_count': (number);
}
