// Original file: proto/spire/api/server/trustdomain/v1/trustdomain.proto

import type { FederationRelationshipMaskInput as _spire_api_types_FederationRelationshipMaskInput, FederationRelationshipMask as _spire_api_types_FederationRelationshipMask } from '../../../../../spire/api/types/FederationRelationshipMask.ts';

export interface GetFederationRelationshipRequestInput {
  'trust_domain'?: (string);
  'output_mask'?: (_spire_api_types_FederationRelationshipMaskInput | null);
}

export interface GetFederationRelationshipRequest {
  'trust_domain': (string);
  'output_mask': (_spire_api_types_FederationRelationshipMask | null);
}
