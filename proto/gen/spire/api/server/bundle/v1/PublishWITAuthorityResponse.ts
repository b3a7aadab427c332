// Original file: proto/spire/api/server/bundle/v1/bundle.proto

import type { WITKeyInput as _spire_api_types_WITKeyInput, WITKey as _spire_api_types_WITKey } from '../../../../../spire/api/types/WITKey.ts';

export interface PublishWITAuthorityResponseInput {
  'wit_authorities'?: (_spire_api_types_WITKeyInput)[];
}

export interface PublishWITAuthorityResponse {
  'wit_authorities': (_spire_api_types_WITKey)[];
}
