// Original file: proto/spire/api/server/trustdomain/v1/trustdomain.proto

import type { FederationRelationshipInput as _spire_api_types_FederationRelationshipInput, FederationRelationship as _spire_api_types_FederationRelationship } from '../../../../../spire/api/types/FederationRelationship.ts';

export interface ListFederationRelationshipsResponseInput {
  'federation_relationships'?: (_spire_api_types_FederationRelationshipInput)[];
  'next_page_token'?: (string);
}

export interface ListFederationRelationshipsResponse {
  'federation_relationships': (_spire_api_types_FederationRelationship)[];
  'next_page_token': (string);
}
