// Original file: proto/spire/api/server/bundle/v1/bundle.proto

import type { WITKeyInput as _spire_api_types_WITKeyInput, WITKey as _spire_api_types_WITKey } from '../../../../../spire/api/types/WITKey.ts';

export interface PublishWITAuthorityRequestInput {
  'wit_authority'?: (_spire_api_types_WITKeyInput | null);
}

export interface PublishWITAuthorityRequest {
  'wit_authority': (_spire_api_types_WITKey | null);
}
