// Original file: proto/steeple/server/authority/v1/authority.proto

import type { KindInput as _steeple_server_authority_v1_KindInput, Kind as _steeple_server_authority_v1_Kind } from '../../../../steeple/server/authority/v1/Kind.ts';

export interface DiscardPreparedRequestInput {
  'kind'?: (_steeple_server_authority_v1_KindInput);
  'authority_id'?: (string);
}

export interface DiscardPreparedRequest {
  'kind': (_steeple_server_authority_v1_Kind);
  'authority_id': (string);
}
