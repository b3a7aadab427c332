import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { AppendBundleRequestInput as _spire_api_server_bundle_v1_AppendBundleRequestInput, AppendBundleRequest as _spire_api_server_bundle_v1_AppendBundleRequest } from './spire/api/server/bundle/v1/AppendBundleRequest.ts';
import type { BatchCreateFederatedBundleRequestInput as _spire_api_server_bundle_v1_BatchCreateFederatedBundleRequestInput, BatchCreateFederatedBundleRequest as _spire_api_server_bundle_v1_BatchCreateFederatedBundleRequest } from './spire/api/server/bundle/v1/BatchCreateFederatedBundleRequest.ts';
import type { BatchCreateFederatedBundleResponseInput as _spire_api_server_bundle_v1_BatchCreateFederatedBundleResponseInput, BatchCreateFederatedBundleResponse as _spire_api_server_bundle_v1_BatchCreateFederatedBundleResponse } from './spire/api/server/bundle/v1/BatchCreateFederatedBundleResponse.ts';
import type { BatchDeleteFederatedBundleRequestInput as _spire_api_server_bundle_v1_BatchDeleteFederatedBundleRequestInput, BatchDeleteFederatedBundleRequest as _spire_api_server_bundle_v1_BatchDeleteFederatedBundleRequest } from './spire/api/server/bundle/v1/BatchDeleteFederatedBundleRequest.ts';
import type { BatchDeleteFederatedBundleResponseInput as _spire_api_server_bundle_v1_BatchDeleteFederatedBundleResponseInput, BatchDeleteFederatedBundleResponse as _spire_api_server_bundle_v1_BatchDeleteFederatedBundleResponse } from './spire/api/server/bundle/v1/BatchDeleteFederatedBundleResponse.ts';
import type { BatchSetFederatedBundleRequestInput as _spire_api_server_bundle_v1_BatchSetFederatedBundleRequestInput, BatchSetFederatedBundleRequest as _spire_api_server_bundle_v1_BatchSetFederatedBundleRequest } from './spire/api/server/bundle/v1/BatchSetFederatedBundleRequest.ts';
import type { BatchSetFederatedBundleResponseInput as _spire_api_server_bundle_v1_BatchSetFederatedBundleResponseInput, BatchSetFederatedBundleResponse as _spire_api_server_bundle_v1_BatchSetFederatedBundleResponse } from './spire/api/server/bundle/v1/BatchSetFederatedBundleResponse.ts';
import type { BatchUpdateFederatedBundleRequestInput as _spire_api_server_bundle_v1_BatchUpdateFederatedBundleRequestInput, BatchUpdateFederatedBundleRequest as _spire_api_server_bundle_v1_BatchUpdateFederatedBundleRequest } from './spire/api/server/bundle/v1/BatchUpdateFederatedBundleRequest.ts';
import type { BatchUpdateFederatedBundleResponseInput as _spire_api_server_bundle_v1_BatchUpdateFederatedBundleResponseInput, BatchUpdateFederatedBundleResponse as _spire_api_server_bundle_v1_BatchUpdateFederatedBundleResponse } from './spire/api/server/bundle/v1/BatchUpdateFederatedBundleResponse.ts';
import type { BundleClient as _spire_api_server_bundle_v1_BundleClient, BundleDefinition as _spire_api_server_bundle_v1_BundleDefinition } from './spire/api/server/bundle/v1/Bundle.ts';
import type { CountBundlesRequestInput as _spire_api_server_bundle_v1_CountBundlesRequestInput, CountBundlesRequest as _spire_api_server_bundle_v1_CountBundlesRequest } from './spire/api/server/bundle/v1/CountBundlesRequest.ts';
import type { CountBundlesResponseInput as _spire_api_server_bundle_v1_CountBundlesResponseInput, CountBundlesResponse as _spire_api_server_bundle_v1_CountBundlesResponse } from './spire/api/server/bundle/v1/CountBundlesResponse.ts';
import type { GetBundleRequestInput as _spire_api_server_bundle_v1_GetBundleRequestInput, GetBundleRequest as _spire_api_server_bundle_v1_GetBundleRequest } from './spire/api/server/bundle/v1/GetBundleRequest.ts';
import type { GetFederatedBundleRequestInput as _spire_api_server_bundle_v1_GetFederatedBundleRequestInput, GetFederatedBundleRequest as _spire_api_server_bundle_v1_GetFederatedBundleRequest } from './spire/api/server/bundle/v1/GetFederatedBundleRequest.ts';
import type { ListFederatedBundlesRequestInput as _spire_api_server_bundle_v1_ListFederatedBundlesRequestInput, ListFederatedBundlesRequest as _spire_api_server_bundle_v1_ListFederatedBundlesRequest } from './spire/api/server/bundle/v1/ListFederatedBundlesRequest.ts';
import type { ListFederatedBundlesResponseInput as _spire_api_server_bundle_v1_ListFederatedBundlesResponseInput, ListFederatedBundlesResponse as _spire_api_server_bundle_v1_ListFederatedBundlesResponse } from './spire/api/server/bundle/v1/ListFederatedBundlesResponse.ts';
import type { PublishJWTAuthorityRequestInput as _spire_api_server_bundle_v1_PublishJWTAuthorityRequestInput, PublishJWTAuthorityRequest as _spire_api_server_bundle_v1_PublishJWTAuthorityRequest } from './spire/api/server/bundle/v1/PublishJWTAuthorityRequest.ts';
import type { PublishJWTAuthorityResponseInput as _spire_api_server_bundle_v1_PublishJWTAuthorityResponseInput, PublishJWTAuthorityResponse as _spire_api_server_bundle_v1_PublishJWTAuthorityResponse } from './spire/api/server/bundle/v1/PublishJWTAuthorityResponse.ts';
import type { PublishWITAuthorityRequestInput as _spire_api_server_bundle_v1_PublishWITAuthorityRequestInput, PublishWITAuthorityRequest as _spire_api_server_bundle_v1_PublishWITAuthorityRequest } from './spire/api/server/bundle/v1/PublishWITAuthorityRequest.ts';
import type { PublishWITAuthorityResponseInput as _spire_api_server_bundle_v1_PublishWITAuthorityResponseInput, PublishWITAuthorityResponse as _spire_api_server_bundle_v1_PublishWITAuthorityResponse } from './spire/api/server/bundle/v1/PublishWITAuthorityResponse.ts';
import type { BundleInput as _spire_api_types_BundleInput, Bundle as _spire_api_types_Bundle } from './spire/api/types/Bundle.ts';
import type { BundleMaskInput as _spire_api_types_BundleMaskInput, BundleMask as _spire_api_types_BundleMask } from './spire/api/types/BundleMask.ts';
import type { JWTKeyInput as _spire_api_types_JWTKeyInput, JWTKey as _spire_api_types_JWTKey } from './spire/api/types/JWTKey.ts';
import type { PermissionDeniedDetailsInput as _spire_api_types_PermissionDeniedDetailsInput, PermissionDeniedDetails as _spire_api_types_PermissionDeniedDetails } from './spire/api/types/PermissionDeniedDetails.ts';
import type { StatusInput as _spire_api_types_StatusInput, Status as _spire_api_types_Status } from './spire/api/types/Status.ts';
import type { WITKeyInput as _spire_api_types_WITKeyInput, WITKey as _spire_api_types_WITKey } from './spire/api/types/WITKey.ts';
import type { X509CertificateInput as _spire_api_types_X509CertificateInput, X509Certificate as _spire_api_types_X509Certificate } from './spire/api/types/X509Certificate.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  spire: {
    api: {
      server: {
        bundle: {
          v1: {
            AppendBundleRequest: MessageTypeDefinition<_spire_api_server_bundle_v1_AppendBundleRequestInput, _spire_api_server_bundle_v1_AppendBundleRequest>
            BatchCreateFederatedBundleRequest: MessageTypeDefinition<_spire_api_server_bundle_v1_BatchCreateFederatedBundleRequestInput, _spire_api_server_bundle_v1_BatchCreateFederatedBundleRequest>
            BatchCreateFederatedBundleResponse: MessageTypeDefinition<_spire_api_server_bundle_v1_BatchCreateFederatedBundleResponseInput, _spire_api_server_bundle_v1_BatchCreateFederatedBundleResponse>
            BatchDeleteFederatedBundleRequest: MessageTypeDefinition<_spire_api_server_bundle_v1_BatchDeleteFederatedBundleRequestInput, _spire_api_server_bundle_v1_BatchDeleteFederatedBundleRequest>
            BatchDeleteFederatedBundleResponse: MessageTypeDefinition<_spire_api_server_bundle_v1_BatchDeleteFederatedBundleResponseInput, _spire_api_server_bundle_v1_BatchDeleteFederatedBundleResponse>
            BatchSetFederatedBundleRequest: MessageTypeDefinition<_spire_api_server_bundle_v1_BatchSetFederatedBundleRequestInput, _spire_api_server_bundle_v1_BatchSetFederatedBundleRequest>
            BatchSetFederatedBundleResponse: MessageTypeDefinition<_spire_api_server_bundle_v1_BatchSetFederatedBundleResponseInput, _spire_api_server_bundle_v1_BatchSetFederatedBundleResponse>
            BatchUpdateFederatedBundleRequest: MessageTypeDefinition<_spire_api_server_bundle_v1_BatchUpdateFederatedBundleRequestInput, _spire_api_server_bundle_v1_BatchUpdateFederatedBundleRequest>
            BatchUpdateFederatedBundleResponse: MessageTypeDefinition<_spire_api_server_bundle_v1_BatchUpdateFederatedBundleResponseInput, _spire_api_server_bundle_v1_BatchUpdateFederatedBundleResponse>
            Bundle: SubtypeConstructor<typeof grpc.Client, _spire_api_server_bundle_v1_BundleClient> & { service: _spire_api_server_bundle_v1_BundleDefinition }
            CountBundlesRequest: MessageTypeDefinition<_spire_api_server_bundle_v1_CountBundlesRequestInput, _spire_api_server_bundle_v1_CountBundlesRequest>
            CountBundlesResponse: MessageTypeDefinition<_spire_api_server_bundle_v1_CountBundlesResponseInput, _spire_api_server_bundle_v1_CountBundlesResponse>
            GetBundleRequest: MessageTypeDefinition<_spire_api_server_bundle_v1_GetBundleRequestInput, _spire_api_server_bundle_v1_GetBundleRequest>
            GetFederatedBundleRequest: MessageTypeDefinition<_spire_api_server_bundle_v1_GetFederatedBundleRequestInput, _spire_api_server_bundle_v1_GetFederatedBundleRequest>
            ListFederatedBundlesRequest: MessageTypeDefinition<_spire_api_server_bundle_v1_ListFederatedBundlesRequestInput, _spire_api_server_bundle_v1_ListFederatedBundlesRequest>
            ListFederatedBundlesResponse: MessageTypeDefinition<_spire_api_server_bundle_v1_ListFederatedBundlesResponseInput, _spire_api_server_bundle_v1_ListFederatedBundlesResponse>
            PublishJWTAuthorityRequest: MessageTypeDefinition<_spire_api_server_bundle_v1_PublishJWTAuthorityRequestInput, _spire_api_server_bundle_v1_PublishJWTAuthorityRequest>
            PublishJWTAuthorityResponse: MessageTypeDefinition<_spire_api_server_bundle_v1_PublishJWTAuthorityResponseInput, _spire_api_server_bundle_v1_PublishJWTAuthorityResponse>
            PublishWITAuthorityRequest: MessageTypeDefinition<_spire_api_server_bundle_v1_PublishWITAuthorityRequestInput, _spire_api_server_bundle_v1_PublishWITAuthorityRequest>
            PublishWITAuthorityResponse: MessageTypeDefinition<_spire_api_server_bundle_v1_PublishWITAuthorityResponseInput, _spire_api_server_bundle_v1_PublishWITAuthorityResponse>
          }
        }
      }
      types: {
        Bundle: MessageTypeDefinition<_spire_api_types_BundleInput, _spire_api_types_Bundle>
        BundleMask: MessageTypeDefinition<_spire_api_types_BundleMaskInput, _spire_api_types_BundleMask>
        JWTKey: MessageTypeDefinition<_spire_api_types_JWTKeyInput, _spire_api_types_JWTKey>
        PermissionDeniedDetails: MessageTypeDefinition<_spire_api_types_PermissionDeniedDetailsInput, _spire_api_types_PermissionDeniedDetails>
        Status: MessageTypeDefinition<_spire_api_types_StatusInput, _spire_api_types_Status>
        WITKey: MessageTypeDefinition<_spire_api_types_WITKeyInput, _spire_api_types_WITKey>
        X509Certificate: MessageTypeDefinition<_spire_api_types_X509CertificateInput, _spire_api_types_X509Certificate>
      }
    }
  }
}

