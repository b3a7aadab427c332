// Original file: proto/steeple/server/authority/v1/authority.proto

import type { FollowerInput as _steeple_server_authority_v1_FollowerInput, Follower as _steeple_server_authority_v1_Follower } from '../../../../steeple/server/authority/v1/Follower.ts';
import type { UseInput as _steeple_server_authority_v1_UseInput, Use as _steeple_server_authority_v1_Use } from '../../../../steeple/server/authority/v1/Use.ts';
import type { Long } from '@grpc/proto-loader';

export interface StandingInput {
  'authority_id'?: (string);
  'issued_at'?: (number | string | Long);
  'expires_at'?: (number | string | Long);
  'tainted'?: (boolean);
  'behind'?: (_steeple_server_authority_v1_FollowerInput)[];
  'behind_count'?: (number);
  'uses'?: (_steeple_server_authority_v1_UseInput)[];
  'use_count'?: (number);
  'unknown_until'?: (number | string | Long);
}

export interface Standing {
  'authority_id': (string);
  'issued_at': (number);
  'expires_at': (number);
  'tainted': (boolean);
  'behind': (_steeple_server_authority_v1_Follower)[];
  'behind_count': (number);
  'uses': (_steeple_server_authority_v1_Use)[];
  'use_count': (number);
  'unknown_until': (number);
}
