// Original file: proto/spire/api/server/trustdomain/v1/trustdomain.proto

import type { FederationRelationshipInput as _spire_api_types_FederationRelationshipInput, FederationRelationship as _spire_api_types_FederationRelationship } from '../../../../../spire/api/types/FederationRelationship.ts';
import type { FederationRelationshipMaskInput as _spire_api_types_FederationRelationshipMaskInput, FederationRelationshipMask as _spire_api_types_FederationRelationshipMask } from '../../../../../spire/api/types/FederationRelationshipMask.ts';

export interface BatchUpdateFederationRelationshipRequestInput {
  'federation_relationships'?: (_spire_api_types_FederationRelationshipInput)[];
  'input_mask'?: (_spire_api_types_FederationRelationshipMaskInput | null);
  'output_mask'?: (_spire_api_types_FederationRelationshipMaskInput | null);
}

export interface BatchUpdateFederationRelationshipRequest {
  'federation_relationships': (_spire_api_types_FederationRelationship)[];
  'input_mask': (_spire_api_types_FederationRelationshipMask | null);
  'output_mask': (_spire_api_types_FederationRelationshipMask | null);
}
