// Original file: proto/spire/api/server/trustdomain/v1/trustdomain.proto

import type { FederationRelationshipMaskInput as _spire_api_types_FederationRelationshipMaskInput, FederationRelationshipMask as _spire_api_types_FederationRelationshipMask } from '../../../../../spire/api/types/FederationRelationshipMask.ts';

export interface ListFederationRelationshipsRequestInput {
  'output_mask'?: (_spire_api_types_FederationRelationshipMaskInput | null);
  'page_size'?: (number);
  'page_token'?: (string);
}

export interface ListFederationRelationshipsRequest {
  'output_mask': (_spire_api_types_FederationRelationshipMask | null);
  'page_size': (number);
  'page_token': (string);
}
