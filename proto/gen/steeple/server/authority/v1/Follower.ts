// Original file: proto/steeple/server/authority/v1/authority.proto

import type { FollowerKindInput as _steeple_server_authority_v1_FollowerKindInput, FollowerKind as _steeple_server_authority_v1_FollowerKind } from '../../../../steeple/server/authority/v1/FollowerKind.ts';
import type { Long } from '@grpc/proto-loader';

export interface FollowerInput {
  'spiffe_id'?: (string);
  'kind'?: (_steeple_server_authority_v1_FollowerKindInput);
  'handed_at'?: (number | string | Long);
}

export interface Follower {
  'spiffe_id': (string);
  'kind': (_steeple_server_authority_v1_FollowerKind);
  'handed_at': (number);
}
