// Original file: proto/spire/api/server/trustdomain/v1/trustdomain.proto

import type { StatusInput as _spire_api_types_StatusInput, Status as _spire_api_types_Status } from '../../../../../spire/api/types/Status.ts';

export interface _spire_api_server_trustdomain_v1_BatchDeleteFederationRelationshipResponse_ResultInput {
  'status'?: (_spire_api_types_StatusInput | null);
  'trust_domain'?: (string);
}

export interface _spire_api_server_trustdomain_v1_BatchDeleteFederationRelationshipResponse_Result {
  'status': (_spire_api_types_Status | null);
  'trust_domain': (string);
}

export interface BatchDeleteFederationRelationshipResponseInput {
  'results'?: (_spire_api_server_trustdomain_v1_BatchDeleteFederationRelationshipResponse_ResultInput)[];
}

export interface BatchDeleteFederationRelationshipResponse {
  'results': (_spire_api_server_trustdomain_v1_BatchDeleteFederationRelationshipResponse_Result)[];
}
