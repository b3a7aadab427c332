// Original file: proto/spire/api/server/trustdomain/v1/trustdomain.proto

import type { StatusInput as _spire_api_types_StatusInput, Status as _spire_api_types_Status } from '../../../../../spire/api/types/Status.ts';
import type { FederationRelationshipInput as _spire_api_types_FederationRelationshipInput, FederationRelationship as _spire_api_types_FederationRelationship } from '../../../../../spire/api/types/FederationRelationship.ts';

export interface _spire_api_server_trustdomain_v1_BatchUpdateFederationRelationshipResponse_ResultInput {
  'status'?: (_spire_api_types_StatusInput | null);
  'federation_relationship'?: (_spire_api_types_FederationRelationshipInput | null);
}

export interface _spire_api_server_trustdomain_v1_BatchUpdateFederationRelationshipResponse_Result {
  'status': (_spire_api_types_Status | null);
  'federation_relationship': (_spire_api_types_FederationRelationship | null);
}

export interface BatchUpdateFederationRelationshipResponseInput {
  'results'?: (_spire_api_server_trustdomain_v1_BatchUpdateFederationRelationshipResponse_ResultInput)[];
}

export interface BatchUpdateFederationRelationshipResponse {
  'results': (_spire_api_server_trustdomain_v1_BatchUpdateFederationRelationshipResponse_Result)[];
}
