// Original file: proto/steeple/server/authority/v1/authority.proto

import type { UseKindInput as _steeple_server_authority_v1_UseKindInput, UseKind as _steeple_server_authority_v1_UseKind } from '../../../../steeple/server/authority/v1/UseKind.ts';
import type { Long } from '@grpc/proto-loader';

export interface UseInput {
  'kind'?: (_steeple_server_authority_v1_UseKindInput);
  'holder'?: (string);
  'count'?: (number);
  'until'?: (number | string | Long);
}

export interface Use {
  'kind': (_steeple_server_authority_v1_UseKind);
  'holder': (string);
  'count': (number);
  'until': (number);
}
