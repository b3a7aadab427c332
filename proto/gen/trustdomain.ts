import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { EmptyInput as _google_protobuf_EmptyInput, Empty as _google_protobuf_Empty } from './google/protobuf/Empty.ts';
import type { BatchCreateFederationRelationshipRequestInput as _spire_api_server_trustdomain_v1_BatchCreateFederationRelationshipRequestInput, BatchCreateFederationRelationshipRequest as _spire_api_server_trustdomain_v1_BatchCreateFederationRelationshipRequest } from './spire/api/server/trustdomain/v1/BatchCreateFederationRelationshipRequest.ts';
import type { BatchCreateFederationRelationshipResponseInput as _spire_api_server_trustdomain_v1_BatchCreateFederationRelationshipResponseInput, BatchCreateFederationRelationshipResponse as _spire_api_server_trustdomain_v1_BatchCreateFederationRelationshipResponse } from './spire/api/server/trustdomain/v1/BatchCreateFederationRelationshipResponse.ts';
import type { BatchDeleteFederationRelationshipRequestInput as _spire_api_server_trustdomain_v1_BatchDeleteFederationRelationshipRequestInput, BatchDeleteFederationRelationshipRequest as _spire_api_server_trustdomain_v1_BatchDeleteFederationRelationshipRequest } from './spire/api/server/trustdomain/v1/BatchDeleteFederationRelationshipRequest.ts';
import type { BatchDeleteFederationRelationshipResponseInput as _spire_api_server_trustdomain_v1_BatchDeleteFederationRelationshipResponseInput, BatchDeleteFederationRelationshipResponse as _spire_api_server_trustdomain_v1_BatchDeleteFederationRelationshipResponse } from './spire/api/server/trustdomain/v1/BatchDeleteFederationRelationshipResponse.ts';
import type { BatchUpdateFederationRelationshipRequestInput as _spire_api_server_trustdomain_v1_BatchUpdateFederationRelationshipRequestInput, BatchUpdateFederationRelationshipRequest as _spire_api_server_trustdomain_v1_BatchUpdateFederationRelationshipRequest } from './spire/api/server/trustdomain/v1/BatchUpdateFederationRelationshipRequest.ts';
import type { BatchUpdateFederationRelationshipResponseInput as _spire_api_server_trustdomain_v1_BatchUpdateFederationRelationshipResponseInput, BatchUpdateFederationRelationshipResponse as _spire_api_server_trustdomain_v1_BatchUpdateFederationRelationshipResponse } from './spire/api/server/trustdomain/v1/BatchUpdateFederationRelationshipResponse.ts';
import type { GetFederationRelationshipRequestInput as _spire_api_server_trustdomain_v1_GetFederationRelationshipRequestInput, GetFederationRelationshipRequest as _spire_api_server_trustdomain_v1_GetFederationRelationshipRequest } from './spire/api/server/trustdomain/v1/GetFederationRelationshipRequest.ts';
import type { ListFederationRelationshipsRequestInput as _spire_api_server_trustdomain_v1_ListFederationRelationshipsRequestInput, ListFederationRelationshipsRequest as _spire_api_server_trustdomain_v1_ListFederationRelationshipsRequest } from './spire/api/server/trustdomain/v1/ListFederationRelationshipsRequest.ts';
import type { ListFederationRelationshipsResponseInput as _spire_api_server_trustdomain_v1_ListFederationRelationshipsResponseInput, ListFederationRelationshipsResponse as _spire_api_server_trustdomain_v1_ListFederationRelationshipsResponse } from './spire/api/server/trustdomain/v1/ListFederationRelationshipsResponse.ts';
import type { RefreshBundleRequestInput as _spire_api_server_trustdomain_v1_RefreshBundleRequestInput, RefreshBundleRequest as _spire_api_server_trustdomain_v1_RefreshBundleRequest } from './spire/api/server/trustdomain/v1/RefreshBundleRequest.ts';
import type { TrustDomainClient as _spire_api_server_trustdomain_v1_TrustDomainClient, TrustDomainDefinition as _spire_api_server_trustdomain_v1_TrustDomainDefinition } from './spire/api/server/trustdomain/v1/TrustDomain.ts';
import type { BundleInput as _spire_api_types_BundleInput, Bundle as _spire_api_types_Bundle } from './spire/api/types/Bundle.ts';
import type { BundleMaskInput as _spire_api_types_BundleMaskInput, BundleMask as _spire_api_types_BundleMask } from './spire/api/types/BundleMask.ts';
import type { FederationRelationshipInput as _spire_api_types_FederationRelationshipInput, FederationRelationship as _spire_api_types_FederationRelationship } from './spire/api/types/FederationRelationship.ts';
import type { FederationRelationshipMaskInput as _spire_api_types_FederationRelationshipMaskInput, FederationRelationshipMask as _spire_api_types_FederationRelationshipMask } from './spire/api/types/FederationRelationshipMask.ts';
import type { HTTPSSPIFFEProfileInput as _spire_api_types_HTTPSSPIFFEProfileInput, HTTPSSPIFFEProfile as _spire_api_types_HTTPSSPIFFEProfile } from './spire/api/types/HTTPSSPIFFEProfile.ts';
import type { HTTPSWebProfileInput as _spire_api_types_HTTPSWebProfileInput, HTTPSWebProfile as _spire_api_types_HTTPSWebProfile } from './spire/api/types/HTTPSWebProfile.ts';
import type { JWTKeyInput as _spire_api_types_JWTKeyInput, JWTKey as _spire_api_types_JWTKey } from './spire/api/types/JWTKey.ts';
import type { PermissionDeniedDetailsInput as _spire_api_types_PermissionDeniedDetailsInput, PermissionDeniedDetails as _spire_api_types_PermissionDeniedDetails } from './spire/api/types/PermissionDeniedDetails.ts';
import type { StatusInput as _spire_api_types_StatusInput, Status as _spire_api_types_Status } from './spire/api/types/Status.ts';
import type { WITKeyInput as _spire_api_types_WITKeyInput, WITKey as _spire_api_types_WITKey } from './spire/api/types/WITKey.ts';
import type { X509CertificateInput as _spire_api_types_X509CertificateInput, X509Certificate as _spire_api_types_X509Certificate } from './spire/api/types/X509Certificate.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  google: {
    protobuf: {
      Empty: MessageTypeDefinition<_google_protobuf_EmptyInput, _google_protobuf_Empty>
    }
  }
  spire: {
    api: {
      server: {
        trustdomain: {
          v1: {
            BatchCreateFederationRelationshipRequest: MessageTypeDefinition<_spire_api_server_trustdomain_v1_BatchCreateFederationRelationshipRequestInput, _spire_api_server_trustdomain_v1_BatchCreateFederationRelationshipRequest>
            BatchCreateFederationRelationshipResponse: MessageTypeDefinition<_spire_api_server_trustdomain_v1_BatchCreateFederationRelationshipResponseInput, _spire_api_server_trustdomain_v1_BatchCreateFederationRelationshipResponse>
            BatchDeleteFederationRelationshipRequest: MessageTypeDefinition<_spire_api_server_trustdomain_v1_BatchDeleteFederationRelationshipRequestInput, _spire_api_server_trustdomain_v1_BatchDeleteFederationRelationshipRequest>
            BatchDeleteFederationRelationshipResponse: MessageTypeDefinition<_spire_api_server_trustdomain_v1_BatchDeleteFederationRelationshipResponseInput, _spire_api_server_trustdomain_v1_BatchDeleteFederationRelationshipResponse>
            BatchUpdateFederationRelationshipRequest: MessageTypeDefinition<_spire_api_server_trustdomain_v1_BatchUpdateFederationRelationshipRequestInput, _spire_api_server_trustdomain_v1_BatchUpdateFederationRelationshipRequest>
            BatchUpdateFederationRelationshipResponse: MessageTypeDefinition<_spire_api_server_trustdomain_v1_BatchUpdateFederationRelationshipResponseInput, _spire_api_server_trustdomain_v1_BatchUpdateFederationRelationshipResponse>
            GetFederationRelationshipRequest: MessageTypeDefinition<_spire_api_server_trustdomain_v1_GetFederationRelationshipRequestInput, _spire_api_server_trustdomain_v1_GetFederationRelationshipRequest>
            ListFederationRelationshipsRequest: MessageTypeDefinition<_spire_api_server_trustdomain_v1_ListFederationRelationshipsRequestInput, _spire_api_server_trustdomain_v1_ListFederationRelationshipsRequest>
            ListFederationRelationshipsResponse: MessageTypeDefinition<_spire_api_server_trustdomain_v1_ListFederationRelationshipsResponseInput, _spire_api_server_trustdomain_v1_ListFederationRelationshipsResponse>
            RefreshBundleRequest: MessageTypeDefinition<_spire_api_server_trustdomain_v1_RefreshBundleRequestInput, _spire_api_server_trustdomain_v1_RefreshBundleRequest>
            TrustDomain: SubtypeConstructor<typeof grpc.Client, _spire_api_server_trustdomain_v1_TrustDomainClient> & { service: _spire_api_server_trustdomain_v1_TrustDomainDefinition }
          }
        }
      }
      types: {
        Bundle: MessageTypeDefinition<_spire_api_types_BundleInput, _spire_api_types_Bundle>
        BundleMask: MessageTypeDefinition<_spire_api_types_BundleMaskInput, _spire_api_types_BundleMask>
        FederationRelationship: MessageTypeDefinition<_spire_api_types_FederationRelationshipInput, _spire_api_types_FederationRelationship>
        FederationRelationshipMask: MessageTypeDefinition<_spire_api_types_FederationRelationshipMaskInput, _spire_api_types_FederationRelationshipMask>
        HTTPSSPIFFEProfile: MessageTypeDefinition<_spire_api_types_HTTPSSPIFFEProfileInput, _spire_api_types_HTTPSSPIFFEProfile>
        HTTPSWebProfile: MessageTypeDefinition<_spire_api_types_HTTPSWebProfileInput, _spire_api_types_HTTPSWebProfile>
        JWTKey: MessageTypeDefinition<_spire_api_types_JWTKeyInput, _spire_api_types_JWTKey>
        PermissionDeniedDetails: MessageTypeDefinition<_spire_api_types_PermissionDeniedDetailsInput, _spire_api_types_PermissionDeniedDetails>
        Status: MessageTypeDefinition<_spire_api_types_StatusInput, _spire_api_types_Status>
        WITKey: MessageTypeDefinition<_spire_api_types_WITKeyInput, _spire_api_types_WITKey>
        X509Certificate: MessageTypeDefinition<_spire_api_types_X509CertificateInput, _spire_api_types_X509Certificate>
      }
    }
  }
}

