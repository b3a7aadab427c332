// Original file: proto/spire/api/server/bundle/v1/bundle.proto

import type { JWTKeyInput as _spire_api_types_JWTKeyInput, JWTKey as _spire_api_types_JWTKey } from '../../../../../spire/api/types/JWTKey.ts';

export interface PublishJWTAuthorityRequestInput {
  'jwt_authority'?: (_spire_api_types_JWTKeyInput | null);
}

export interface PublishJWTAuthorityRequest {
  'jwt_authority': (_spire_api_types_JWTKey | null);
}
