// Original file: proto/steeple/server/authority/v1/authority.proto

import type { KindInput as _steeple_server_authority_v1_KindInput, Kind as _steeple_server_authority_v1_Kind } from '../../../../steeple/server/authority/v1/Kind.ts';

export interface GetOverviewRequestInput {
  'kind'?: (_steeple_server_authority_v1_KindInput);
}

export interface GetOverviewRequest {
  'kind': (_steeple_server_authority_v1_Kind);
}
