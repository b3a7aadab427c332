// Original file: proto/steeple/server/authority/v1/authority.proto

import type { ServerStateInput as _steeple_server_authority_v1_ServerStateInput, ServerState as _steeple_server_authority_v1_ServerState } from '../../../../steeple/server/authority/v1/ServerState.ts';
import type { ServerSlotsInput as _steeple_server_authority_v1_ServerSlotsInput, ServerSlots as _steeple_server_authority_v1_ServerSlots } from '../../../../steeple/server/authority/v1/ServerSlots.ts';
import type { Long } from '@grpc/proto-loader';

export interface ServerInput {
  'key'?: (string);
  'state'?: (_steeple_server_authority_v1_ServerStateInput);
  'name'?: (string);
  'address'?: (string);
  'version'?: (string);
  'started_at'?: (number | string | Long);
  'seen_seconds_ago'?: (number | string | Long);
  'x509'?: (_steeple_server_authority_v1_ServerSlotsInput | null);
  'jwt'?: (_steeple_server_authority_v1_ServerSlotsInput | null);
}

export interface Server {
  'key': (string);
  'state': (_steeple_server_authority_v1_ServerState);
  'name': (string);
  'address': (string);
  'version': (string);
  'started_at': (number);
  'seen_seconds_ago': (number);
  'x509': (_steeple_server_authority_v1_ServerSlots | null);
  'jwt': (_steeple_server_authority_v1_ServerSlots | null);
}
