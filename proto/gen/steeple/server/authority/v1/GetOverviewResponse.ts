// Original file: proto/steeple/server/authority/v1/authority.proto

import type { ServerProgressInput as _steeple_server_authority_v1_ServerProgressInput, ServerProgress as _steeple_server_authority_v1_ServerProgress } from '../../../../steeple/server/authority/v1/ServerProgress.ts';
import type { StandingInput as _steeple_server_authority_v1_StandingInput, Standing as _steeple_server_authority_v1_Standing } from '../../../../steeple/server/authority/v1/Standing.ts';

export interface GetOverviewResponseInput {
  'servers'?: (_steeple_server_authority_v1_ServerProgressInput)[];
  'others'?: (_steeple_server_authority_v1_StandingInput)[];
  'has_upstream'?: (boolean);
  'follower_count'?: (number);
  'expired_agent_count'?: (number);
}

export interface GetOverviewResponse {
  'servers': (_steeple_server_authority_v1_ServerProgress)[];
  'others': (_steeple_server_authority_v1_Standing)[];
  'has_upstream': (boolean);
  'follower_count': (number);
  'expired_agent_count': (number);
}
