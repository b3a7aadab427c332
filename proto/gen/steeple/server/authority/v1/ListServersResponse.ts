// Original file: proto/steeple/server/authority/v1/authority.proto

import type { ServerInput as _steeple_server_authority_v1_ServerInput, Server as _steeple_server_authority_v1_Server } from '../../../../steeple/server/authority/v1/Server.ts';

export interface ListServersResponseInput {
  'servers'?: (_steeple_server_authority_v1_ServerInput)[];
}

export interface ListServersResponse {
  'servers': (_steeple_server_authority_v1_Server)[];
}
