// Original file: proto/steeple/server/federation/v1/federation.proto

import type { StandingInput as _steeple_server_federation_v1_StandingInput, Standing as _steeple_server_federation_v1_Standing } from '../../../../steeple/server/federation/v1/Standing.ts';

export interface GetStandingResponseInput {
  'standings'?: (_steeple_server_federation_v1_StandingInput)[];
}

export interface GetStandingResponse {
  'standings': (_steeple_server_federation_v1_Standing)[];
}
