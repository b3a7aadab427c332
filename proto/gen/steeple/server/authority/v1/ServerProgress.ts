// Original file: proto/steeple/server/authority/v1/authority.proto

import type { ServerInput as _steeple_server_authority_v1_ServerInput, Server as _steeple_server_authority_v1_Server } from '../../../../steeple/server/authority/v1/Server.ts';
import type { StandingInput as _steeple_server_authority_v1_StandingInput, Standing as _steeple_server_authority_v1_Standing } from '../../../../steeple/server/authority/v1/Standing.ts';
import type { ActivationInput as _steeple_server_authority_v1_ActivationInput, Activation as _steeple_server_authority_v1_Activation } from '../../../../steeple/server/authority/v1/Activation.ts';

export interface ServerProgressInput {
  'server'?: (_steeple_server_authority_v1_ServerInput | null);
  'prepared'?: (_steeple_server_authority_v1_StandingInput | null);
  'active'?: (_steeple_server_authority_v1_StandingInput | null);
  'old'?: (_steeple_server_authority_v1_StandingInput | null);
  'activation'?: (_steeple_server_authority_v1_ActivationInput);
}

export interface ServerProgress {
  'server': (_steeple_server_authority_v1_Server | null);
  'prepared': (_steeple_server_authority_v1_Standing | null);
  'active': (_steeple_server_authority_v1_Standing | null);
  'old': (_steeple_server_authority_v1_Standing | null);
  'activation': (_steeple_server_authority_v1_Activation);
}
