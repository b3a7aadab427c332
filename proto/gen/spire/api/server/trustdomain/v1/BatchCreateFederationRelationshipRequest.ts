// Original file: proto/spire/api/server/trustdomain/v1/trustdomain.proto

import type { FederationRelationshipInput as _spire_api_types_FederationRelationshipInput, FederationRelationship as _spire_api_types_FederationRelationship } from '../../../../../spire/api/types/FederationRelationship.ts';
import type { FederationRelationshipMaskInput as _spire_api_types_FederationRelationshipMaskInput, FederationRelationshipMask as _spire_api_types_FederationRelationshipMask } from '../../../../../spire/api/types/FederationRelationshipMask.ts';

export interface BatchCreateFederationRelationshipRequestInput {
  'federation_relationships'?: (_spire_api_types_FederationRelationshipInput)[];
  'output_mask'?: (_spire_api_types_FederationRelationshipMaskInput | null);
}

export interface BatchCreateFederationRelationshipRequest {
  'federation_relationships': (_spire_api_types_FederationRelationship)[];
  'output_mask': (_spire_api_types_FederationRelationshipMask | null);
}
