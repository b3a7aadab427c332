// Original file: proto/spire/api/server/bundle/v1/bundle.proto

import type { JWTKeyInput as _spire_api_types_JWTKeyInput, JWTKey as _spire_api_types_JWTKey } from '../../../../../spire/api/types/JWTKey.ts';

export interface PublishJWTAuthorityResponseInput {
  'jwt_authorities'?: (_spire_api_types_JWTKeyInput)[];
}

export interface PublishJWTAuthorityResponse {
  'jwt_authorities': (_spire_api_types_JWTKey)[];
}
