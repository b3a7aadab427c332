// Original file: proto/spire/api/server/bundle/v1/bundle.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AppendBundleRequestInput as _spire_api_server_bundle_v1_AppendBundleRequestInput, AppendBundleRequest as _spire_api_server_bundle_v1_AppendBundleRequest } from '../../../../../spire/api/server/bundle/v1/AppendBundleRequest.ts';
import type { BatchCreateFederatedBundleRequestInput as _spire_api_server_bundle_v1_BatchCreateFederatedBundleRequestInput, BatchCreateFederatedBundleRequest as _spire_api_server_bundle_v1_BatchCreateFederatedBundleRequest } from '../../../../../spire/api/server/bundle/v1/BatchCreateFederatedBundleRequest.ts';
import type { BatchCreateFederatedBundleResponseInput as _spire_api_server_bundle_v1_BatchCreateFederatedBundleResponseInput, BatchCreateFederatedBundleResponse as _spire_api_server_bundle_v1_BatchCreateFederatedBundleResponse } from '../../../../../spire/api/server/bundle/v1/BatchCreateFederatedBundleResponse.ts';
import type { BatchDeleteFederatedBundleRequestInput as _spire_api_server_bundle_v1_BatchDeleteFederatedBundleRequestInput, BatchDeleteFederatedBundleRequest as _spire_api_server_bundle_v1_BatchDeleteFederatedBundleRequest } from '../../../../../spire/api/server/bundle/v1/BatchDeleteFederatedBundleRequest.ts';
import type { BatchDeleteFederatedBundleResponseInput as _spire_api_server_bundle_v1_BatchDeleteFederatedBundleResponseInput, BatchDeleteFederatedBundleResponse as _spire_api_server_bundle_v1_BatchDeleteFederatedBundleResponse } from '../../../../../spire/api/server/bundle/v1/BatchDeleteFederatedBundleResponse.ts';
import type { BatchSetFederatedBundleRequestInput as _spire_api_server_bundle_v1_BatchSetFederatedBundleRequestInput, BatchSetFederatedBundleRequest as _spire_api_server_bundle_v1_BatchSetFederatedBundleRequest } from '../../../../../spire/api/server/bundle/v1/BatchSetFederatedBundleRequest.ts';
import type { BatchSetFederatedBundleResponseInput as _spire_api_server_bundle_v1_BatchSetFederatedBundleResponseInput, BatchSetFederatedBundleResponse as _spire_api_server_bundle_v1_BatchSetFederatedBundleResponse } from '../../../../../spire/api/server/bundle/v1/BatchSetFederatedBundleResponse.ts';
import type { BatchUpdateFederatedBundleRequestInput as _spire_api_server_bundle_v1_BatchUpdateFederatedBundleRequestInput, BatchUpdateFederatedBundleRequest as _spire_api_server_bundle_v1_BatchUpdateFederatedBundleRequest } from '../../../../../spire/api/server/bundle/v1/BatchUpdateFederatedBundleRequest.ts';
import type { BatchUpdateFederatedBundleResponseInput as _spire_api_server_bundle_v1_BatchUpdateFederatedBundleResponseInput, BatchUpdateFederatedBundleResponse as _spire_api_server_bundle_v1_BatchUpdateFederatedBundleResponse } from '../../../../../spire/api/server/bundle/v1/BatchUpdateFederatedBundleResponse.ts';
import type { BundleInput as _spire_api_types_BundleInput, Bundle as _spire_api_types_Bundle } from '../../../../../spire/api/types/Bundle.ts';
import type { CountBundlesRequestInput as _spire_api_server_bundle_v1_CountBundlesRequestInput, CountBundlesRequest as _spire_api_server_bundle_v1_CountBundlesRequest } from '../../../../../spire/api/server/bundle/v1/CountBundlesRequest.ts';
import type { CountBundlesResponseInput as _spire_api_server_bundle_v1_CountBundlesResponseInput, CountBundlesResponse as _spire_api_server_bundle_v1_CountBundlesResponse } from '../../../../../spire/api/server/bundle/v1/CountBundlesResponse.ts';
import type { GetBundleRequestInput as _spire_api_server_bundle_v1_GetBundleRequestInput, GetBundleRequest as _spire_api_server_bundle_v1_GetBundleRequest } from '../../../../../spire/api/server/bundle/v1/GetBundleRequest.ts';
import type { GetFederatedBundleRequestInput as _spire_api_server_bundle_v1_GetFederatedBundleRequestInput, GetFederatedBundleRequest as _spire_api_server_bundle_v1_GetFederatedBundleRequest } from '../../../../../spire/api/server/bundle/v1/GetFederatedBundleRequest.ts';
import type { ListFederatedBundlesRequestInput as _spire_api_server_bundle_v1_ListFederatedBundlesRequestInput, ListFederatedBundlesRequest as _spire_api_server_bundle_v1_ListFederatedBundlesRequest } from '../../../../../spire/api/server/bundle/v1/ListFederatedBundlesRequest.ts';
import type { ListFederatedBundlesResponseInput as _spire_api_server_bundle_v1_ListFederatedBundlesResponseInput, ListFederatedBundlesResponse as _spire_api_server_bundle_v1_ListFederatedBundlesResponse } from '../../../../../spire/api/server/bundle/v1/ListFederatedBundlesResponse.ts';
import type { PublishJWTAuthorityRequestInput as _spire_api_server_bundle_v1_PublishJWTAuthorityRequestInput, PublishJWTAuthorityRequest as _spire_api_server_bundle_v1_PublishJWTAuthorityRequest } from '../../../../../spire/api/server/bundle/v1/PublishJWTAuthorityRequest.ts';
import type { PublishJWTAuthorityResponseInput as _spire_api_server_bundle_v1_PublishJWTAuthorityResponseInput, PublishJWTAuthorityResponse as _spire_api_server_bundle_v1_PublishJWTAuthorityResponse } from '../../../../../spire/api/server/bundle/v1/PublishJWTAuthorityResponse.ts';
import type { PublishWITAuthorityRequestInput as _spire_api_server_bundle_v1_PublishWITAuthorityRequestInput, PublishWITAuthorityRequest as _spire_api_server_bundle_v1_PublishWITAuthorityRequest } from '../../../../../spire/api/server/bundle/v1/PublishWITAuthorityRequest.ts';
import type { PublishWITAuthorityResponseInput as _spire_api_server_bundle_v1_PublishWITAuthorityResponseInput, PublishWITAuthorityResponse as _spire_api_server_bundle_v1_PublishWITAuthorityResponse } from '../../../../../spire/api/server/bundle/v1/PublishWITAuthorityResponse.ts';

export interface BundleClient extends grpc.Client {
  AppendBundle(argument: _spire_api_server_bundle_v1_AppendBundleRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Bundle>): grpc.ClientUnaryCall;
  AppendBundle(argument: _spire_api_server_bundle_v1_AppendBundleRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_types_Bundle>): grpc.ClientUnaryCall;
  AppendBundle(argument: _spire_api_server_bundle_v1_AppendBundleRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Bundle>): grpc.ClientUnaryCall;
  AppendBundle(argument: _spire_api_server_bundle_v1_AppendBundleRequestInput, callback: grpc.requestCallback<_spire_api_types_Bundle>): grpc.ClientUnaryCall;
  appendBundle(argument: _spire_api_server_bundle_v1_AppendBundleRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Bundle>): grpc.ClientUnaryCall;
  appendBundle(argument: _spire_api_server_bundle_v1_AppendBundleRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_types_Bundle>): grpc.ClientUnaryCall;
  appendBundle(argument: _spire_api_server_bundle_v1_AppendBundleRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Bundle>): grpc.ClientUnaryCall;
  appendBundle(argument: _spire_api_server_bundle_v1_AppendBundleRequestInput, callback: grpc.requestCallback<_spire_api_types_Bundle>): grpc.ClientUnaryCall;
  
  BatchCreateFederatedBundle(argument: _spire_api_server_bundle_v1_BatchCreateFederatedBundleRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchCreateFederatedBundleResponse>): grpc.ClientUnaryCall;
  BatchCreateFederatedBundle(argument: _spire_api_server_bundle_v1_BatchCreateFederatedBundleRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchCreateFederatedBundleResponse>): grpc.ClientUnaryCall;
  BatchCreateFederatedBundle(argument: _spire_api_server_bundle_v1_BatchCreateFederatedBundleRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchCreateFederatedBundleResponse>): grpc.ClientUnaryCall;
  BatchCreateFederatedBundle(argument: _spire_api_server_bundle_v1_BatchCreateFederatedBundleRequestInput, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchCreateFederatedBundleResponse>): grpc.ClientUnaryCall;
  batchCreateFederatedBundle(argument: _spire_api_server_bundle_v1_BatchCreateFederatedBundleRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchCreateFederatedBundleResponse>): grpc.ClientUnaryCall;
  batchCreateFederatedBundle(argument: _spire_api_server_bundle_v1_BatchCreateFederatedBundleRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchCreateFederatedBundleResponse>): grpc.ClientUnaryCall;
  batchCreateFederatedBundle(argument: _spire_api_server_bundle_v1_BatchCreateFederatedBundleRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchCreateFederatedBundleResponse>): grpc.ClientUnaryCall;
  batchCreateFederatedBundle(argument: _spire_api_server_bundle_v1_BatchCreateFederatedBundleRequestInput, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchCreateFederatedBundleResponse>): grpc.ClientUnaryCall;
  
  BatchDeleteFederatedBundle(argument: _spire_api_server_bundle_v1_BatchDeleteFederatedBundleRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchDeleteFederatedBundleResponse>): grpc.ClientUnaryCall;
  BatchDeleteFederatedBundle(argument: _spire_api_server_bundle_v1_BatchDeleteFederatedBundleRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchDeleteFederatedBundleResponse>): grpc.ClientUnaryCall;
  BatchDeleteFederatedBundle(argument: _spire_api_server_bundle_v1_BatchDeleteFederatedBundleRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchDeleteFederatedBundleResponse>): grpc.ClientUnaryCall;
  BatchDeleteFederatedBundle(argument: _spire_api_server_bundle_v1_BatchDeleteFederatedBundleRequestInput, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchDeleteFederatedBundleResponse>): grpc.ClientUnaryCall;
  batchDeleteFederatedBundle(argument: _spire_api_server_bundle_v1_BatchDeleteFederatedBundleRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchDeleteFederatedBundleResponse>): grpc.ClientUnaryCall;
  batchDeleteFederatedBundle(argument: _spire_api_server_bundle_v1_BatchDeleteFederatedBundleRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchDeleteFederatedBundleResponse>): grpc.ClientUnaryCall;
  batchDeleteFederatedBundle(argument: _spire_api_server_bundle_v1_BatchDeleteFederatedBundleRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchDeleteFederatedBundleResponse>): grpc.ClientUnaryCall;
  batchDeleteFederatedBundle(argument: _spire_api_server_bundle_v1_BatchDeleteFederatedBundleRequestInput, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchDeleteFederatedBundleResponse>): grpc.ClientUnaryCall;
  
  BatchSetFederatedBundle(argument: _spire_api_server_bundle_v1_BatchSetFederatedBundleRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchSetFederatedBundleResponse>): grpc.ClientUnaryCall;
  BatchSetFederatedBundle(argument: _spire_api_server_bundle_v1_BatchSetFederatedBundleRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchSetFederatedBundleResponse>): grpc.ClientUnaryCall;
  BatchSetFederatedBundle(argument: _spire_api_server_bundle_v1_BatchSetFederatedBundleRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchSetFederatedBundleResponse>): grpc.ClientUnaryCall;
  BatchSetFederatedBundle(argument: _spire_api_server_bundle_v1_BatchSetFederatedBundleRequestInput, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchSetFederatedBundleResponse>): grpc.ClientUnaryCall;
  batchSetFederatedBundle(argument: _spire_api_server_bundle_v1_BatchSetFederatedBundleRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchSetFederatedBundleResponse>): grpc.ClientUnaryCall;
  batchSetFederatedBundle(argument: _spire_api_server_bundle_v1_BatchSetFederatedBundleRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchSetFederatedBundleResponse>): grpc.ClientUnaryCall;
  batchSetFederatedBundle(argument: _spire_api_server_bundle_v1_BatchSetFederatedBundleRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchSetFederatedBundleResponse>): grpc.ClientUnaryCall;
  batchSetFederatedBundle(argument: _spire_api_server_bundle_v1_BatchSetFederatedBundleRequestInput, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchSetFederatedBundleResponse>): grpc.ClientUnaryCall;
  
  BatchUpdateFederatedBundle(argument: _spire_api_server_bundle_v1_BatchUpdateFederatedBundleRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchUpdateFederatedBundleResponse>): grpc.ClientUnaryCall;
  BatchUpdateFederatedBundle(argument: _spire_api_server_bundle_v1_BatchUpdateFederatedBundleRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchUpdateFederatedBundleResponse>): grpc.ClientUnaryCall;
  BatchUpdateFederatedBundle(argument: _spire_api_server_bundle_v1_BatchUpdateFederatedBundleRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchUpdateFederatedBundleResponse>): grpc.ClientUnaryCall;
  BatchUpdateFederatedBundle(argument: _spire_api_server_bundle_v1_BatchUpdateFederatedBundleRequestInput, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchUpdateFederatedBundleResponse>): grpc.ClientUnaryCall;
  batchUpdateFederatedBundle(argument: _spire_api_server_bundle_v1_BatchUpdateFederatedBundleRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchUpdateFederatedBundleResponse>): grpc.ClientUnaryCall;
  batchUpdateFederatedBundle(argument: _spire_api_server_bundle_v1_BatchUpdateFederatedBundleRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchUpdateFederatedBundleResponse>): grpc.ClientUnaryCall;
  batchUpdateFederatedBundle(argument: _spire_api_server_bundle_v1_BatchUpdateFederatedBundleRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchUpdateFederatedBundleResponse>): grpc.ClientUnaryCall;
  batchUpdateFederatedBundle(argument: _spire_api_server_bundle_v1_BatchUpdateFederatedBundleRequestInput, callback: grpc.requestCallback<_spire_api_server_bundle_v1_BatchUpdateFederatedBundleResponse>): grpc.ClientUnaryCall;
  
  CountBundles(argument: _spire_api_server_bundle_v1_CountBundlesRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_CountBundlesResponse>): grpc.ClientUnaryCall;
  CountBundles(argument: _spire_api_server_bundle_v1_CountBundlesRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_bundle_v1_CountBundlesResponse>): grpc.ClientUnaryCall;
  CountBundles(argument: _spire_api_server_bundle_v1_CountBundlesRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_CountBundlesResponse>): grpc.ClientUnaryCall;
  CountBundles(argument: _spire_api_server_bundle_v1_CountBundlesRequestInput, callback: grpc.requestCallback<_spire_api_server_bundle_v1_CountBundlesResponse>): grpc.ClientUnaryCall;
  countBundles(argument: _spire_api_server_bundle_v1_CountBundlesRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_CountBundlesResponse>): grpc.ClientUnaryCall;
  countBundles(argument: _spire_api_server_bundle_v1_CountBundlesRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_bundle_v1_CountBundlesResponse>): grpc.ClientUnaryCall;
  countBundles(argument: _spire_api_server_bundle_v1_CountBundlesRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_CountBundlesResponse>): grpc.ClientUnaryCall;
  countBundles(argument: _spire_api_server_bundle_v1_CountBundlesRequestInput, callback: grpc.requestCallback<_spire_api_server_bundle_v1_CountBundlesResponse>): grpc.ClientUnaryCall;
  
  GetBundle(argument: _spire_api_server_bundle_v1_GetBundleRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Bundle>): grpc.ClientUnaryCall;
  GetBundle(argument: _spire_api_server_bundle_v1_GetBundleRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_types_Bundle>): grpc.ClientUnaryCall;
  GetBundle(argument: _spire_api_server_bundle_v1_GetBundleRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Bundle>): grpc.ClientUnaryCall;
  GetBundle(argument: _spire_api_server_bundle_v1_GetBundleRequestInput, callback: grpc.requestCallback<_spire_api_types_Bundle>): grpc.ClientUnaryCall;
  getBundle(argument: _spire_api_server_bundle_v1_GetBundleRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Bundle>): grpc.ClientUnaryCall;
  getBundle(argument: _spire_api_server_bundle_v1_GetBundleRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_types_Bundle>): grpc.ClientUnaryCall;
  getBundle(argument: _spire_api_server_bundle_v1_GetBundleRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Bundle>): grpc.ClientUnaryCall;
  getBundle(argument: _spire_api_server_bundle_v1_GetBundleRequestInput, callback: grpc.requestCallback<_spire_api_types_Bundle>): grpc.ClientUnaryCall;
  
  GetFederatedBundle(argument: _spire_api_server_bundle_v1_GetFederatedBundleRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Bundle>): grpc.ClientUnaryCall;
  GetFederatedBundle(argument: _spire_api_server_bundle_v1_GetFederatedBundleRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_types_Bundle>): grpc.ClientUnaryCall;
  GetFederatedBundle(argument: _spire_api_server_bundle_v1_GetFederatedBundleRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Bundle>): grpc.ClientUnaryCall;
  GetFederatedBundle(argument: _spire_api_server_bundle_v1_GetFederatedBundleRequestInput, callback: grpc.requestCallback<_spire_api_types_Bundle>): grpc.ClientUnaryCall;
  getFederatedBundle(argument: _spire_api_server_bundle_v1_GetFederatedBundleRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Bundle>): grpc.ClientUnaryCall;
  getFederatedBundle(argument: _spire_api_server_bundle_v1_GetFederatedBundleRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_types_Bundle>): grpc.ClientUnaryCall;
  getFederatedBundle(argument: _spire_api_server_bundle_v1_GetFederatedBundleRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Bundle>): grpc.ClientUnaryCall;
  getFederatedBundle(argument: _spire_api_server_bundle_v1_GetFederatedBundleRequestInput, callback: grpc.requestCallback<_spire_api_types_Bundle>): grpc.ClientUnaryCall;
  
  ListFederatedBundles(argument: _spire_api_server_bundle_v1_ListFederatedBundlesRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_ListFederatedBundlesResponse>): grpc.ClientUnaryCall;
  ListFederatedBundles(argument: _spire_api_server_bundle_v1_ListFederatedBundlesRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_bundle_v1_ListFederatedBundlesResponse>): grpc.ClientUnaryCall;
  ListFederatedBundles(argument: _spire_api_server_bundle_v1_ListFederatedBundlesRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_ListFederatedBundlesResponse>): grpc.ClientUnaryCall;
  ListFederatedBundles(argument: _spire_api_server_bundle_v1_ListFederatedBundlesRequestInput, callback: grpc.requestCallback<_spire_api_server_bundle_v1_ListFederatedBundlesResponse>): grpc.ClientUnaryCall;
  listFederatedBundles(argument: _spire_api_server_bundle_v1_ListFederatedBundlesRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_ListFederatedBundlesResponse>): grpc.ClientUnaryCall;
  listFederatedBundles(argument: _spire_api_server_bundle_v1_ListFederatedBundlesRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_bundle_v1_ListFederatedBundlesResponse>): grpc.ClientUnaryCall;
  listFederatedBundles(argument: _spire_api_server_bundle_v1_ListFederatedBundlesRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_ListFederatedBundlesResponse>): grpc.ClientUnaryCall;
  listFederatedBundles(argument: _spire_api_server_bundle_v1_ListFederatedBundlesRequestInput, callback: grpc.requestCallback<_spire_api_server_bundle_v1_ListFederatedBundlesResponse>): grpc.ClientUnaryCall;
  
  PublishJWTAuthority(argument: _spire_api_server_bundle_v1_PublishJWTAuthorityRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_PublishJWTAuthorityResponse>): grpc.ClientUnaryCall;
  PublishJWTAuthority(argument: _spire_api_server_bundle_v1_PublishJWTAuthorityRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_bundle_v1_PublishJWTAuthorityResponse>): grpc.ClientUnaryCall;
  PublishJWTAuthority(argument: _spire_api_server_bundle_v1_PublishJWTAuthorityRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_PublishJWTAuthorityResponse>): grpc.ClientUnaryCall;
  PublishJWTAuthority(argument: _spire_api_server_bundle_v1_PublishJWTAuthorityRequestInput, callback: grpc.requestCallback<_spire_api_server_bundle_v1_PublishJWTAuthorityResponse>): grpc.ClientUnaryCall;
  publishJwtAuthority(argument: _spire_api_server_bundle_v1_PublishJWTAuthorityRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_PublishJWTAuthorityResponse>): grpc.ClientUnaryCall;
  publishJwtAuthority(argument: _spire_api_server_bundle_v1_PublishJWTAuthorityRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_bundle_v1_PublishJWTAuthorityResponse>): grpc.ClientUnaryCall;
  publishJwtAuthority(argument: _spire_api_server_bundle_v1_PublishJWTAuthorityRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_PublishJWTAuthorityResponse>): grpc.ClientUnaryCall;
  publishJwtAuthority(argument: _spire_api_server_bundle_v1_PublishJWTAuthorityRequestInput, callback: grpc.requestCallback<_spire_api_server_bundle_v1_PublishJWTAuthorityResponse>): grpc.ClientUnaryCall;
  
  PublishWITAuthority(argument: _spire_api_server_bundle_v1_PublishWITAuthorityRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_PublishWITAuthorityResponse>): grpc.ClientUnaryCall;
  PublishWITAuthority(argument: _spire_api_server_bundle_v1_PublishWITAuthorityRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_bundle_v1_PublishWITAuthorityResponse>): grpc.ClientUnaryCall;
  PublishWITAuthority(argument: _spire_api_server_bundle_v1_PublishWITAuthorityRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_PublishWITAuthorityResponse>): grpc.ClientUnaryCall;
  PublishWITAuthority(argument: _spire_api_server_bundle_v1_PublishWITAuthorityRequestInput, callback: grpc.requestCallback<_spire_api_server_bundle_v1_PublishWITAuthorityResponse>): grpc.ClientUnaryCall;
  publishWitAuthority(argument: _spire_api_server_bundle_v1_PublishWITAuthorityRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_PublishWITAuthorityResponse>): grpc.ClientUnaryCall;
  publishWitAuthority(argument: _spire_api_server_bundle_v1_PublishWITAuthorityRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_bundle_v1_PublishWITAuthorityResponse>): grpc.ClientUnaryCall;
  publishWitAuthority(argument: _spire_api_server_bundle_v1_PublishWITAuthorityRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_bundle_v1_PublishWITAuthorityResponse>): grpc.ClientUnaryCall;
  publishWitAuthority(argument: _spire_api_server_bundle_v1_PublishWITAuthorityRequestInput, callback: grpc.requestCallback<_spire_api_server_bundle_v1_PublishWITAuthorityResponse>): grpc.ClientUnaryCall;
  
}

export interface BundleHandlers extends grpc.UntypedServiceImplementation {
  AppendBundle: grpc.handleUnaryCall<_spire_api_server_bundle_v1_AppendBundleRequest, _spire_api_types_BundleInput>;
  
  BatchCreateFederatedBundle: grpc.handleUnaryCall<_spire_api_server_bundle_v1_BatchCreateFederatedBundleRequest, _spire_api_server_bundle_v1_BatchCreateFederatedBundleResponseInput>;
  
  BatchDeleteFederatedBundle: grpc.handleUnaryCall<_spire_api_server_bundle_v1_BatchDeleteFederatedBundleRequest, _spire_api_server_bundle_v1_BatchDeleteFederatedBundleResponseInput>;
  
  BatchSetFederatedBundle: grpc.handleUnaryCall<_spire_api_server_bundle_v1_BatchSetFederatedBundleRequest, _spire_api_server_bundle_v1_BatchSetFederatedBundleResponseInput>;
  
  BatchUpdateFederatedBundle: grpc.handleUnaryCall<_spire_api_server_bundle_v1_BatchUpdateFederatedBundleRequest, _spire_api_server_bundle_v1_BatchUpdateFederatedBundleResponseInput>;
  
  CountBundles: grpc.handleUnaryCall<_spire_api_server_bundle_v1_CountBundlesRequest, _spire_api_server_bundle_v1_CountBundlesResponseInput>;
  
  GetBundle: grpc.handleUnaryCall<_spire_api_server_bundle_v1_GetBundleRequest, _spire_api_types_BundleInput>;
  
  GetFederatedBundle: grpc.handleUnaryCall<_spire_api_server_bundle_v1_GetFederatedBundleRequest, _spire_api_types_BundleInput>;
  
  ListFederatedBundles: grpc.handleUnaryCall<_spire_api_server_bundle_v1_ListFederatedBundlesRequest, _spire_api_server_bundle_v1_ListFederatedBundlesResponseInput>;
  
  PublishJWTAuthority: grpc.handleUnaryCall<_spire_api_server_bundle_v1_PublishJWTAuthorityRequest, _spire_api_server_bundle_v1_PublishJWTAuthorityResponseInput>;
  
  PublishWITAuthority: grpc.handleUnaryCall<_spire_api_server_bundle_v1_PublishWITAuthorityRequest, _spire_api_server_bundle_v1_PublishWITAuthorityResponseInput>;
  
}

export interface BundleDefinition extends grpc.ServiceDefinition {
  AppendBundle: MethodDefinition<_spire_api_server_bundle_v1_AppendBundleRequestInput, _spire_api_types_BundleInput, _spire_api_server_bundle_v1_AppendBundleRequest, _spire_api_types_Bundle>
  BatchCreateFederatedBundle: MethodDefinition<_spire_api_server_bundle_v1_BatchCreateFederatedBundleRequestInput, _spire_api_server_bundle_v1_BatchCreateFederatedBundleResponseInput, _spire_api_server_bundle_v1_BatchCreateFederatedBundleRequest, _spire_api_server_bundle_v1_BatchCreateFederatedBundleResponse>
  BatchDeleteFederatedBundle: MethodDefinition<_spire_api_server_bundle_v1_BatchDeleteFederatedBundleRequestInput, _spire_api_server_bundle_v1_BatchDeleteFederatedBundleResponseInput, _spire_api_server_bundle_v1_BatchDeleteFederatedBundleRequest, _spire_api_server_bundle_v1_BatchDeleteFederatedBundleResponse>
  BatchSetFederatedBundle: MethodDefinition<_spire_api_server_bundle_v1_BatchSetFederatedBundleRequestInput, _spire_api_server_bundle_v1_BatchSetFederatedBundleResponseInput, _spire_api_server_bundle_v1_BatchSetFederatedBundleRequest, _spire_api_server_bundle_v1_BatchSetFederatedBundleResponse>
  BatchUpdateFederatedBundle: MethodDefinition<_spire_api_server_bundle_v1_BatchUpdateFederatedBundleRequestInput, _spire_api_server_bundle_v1_BatchUpdateFederatedBundleResponseInput, _spire_api_server_bundle_v1_BatchUpdateFederatedBundleRequest, _spire_api_server_bundle_v1_BatchUpdateFederatedBundleResponse>
  CountBundles: MethodDefinition<_spire_api_server_bundle_v1_CountBundlesRequestInput, _spire_api_server_bundle_v1_CountBundlesResponseInput, _spire_api_server_bundle_v1_CountBundlesRequest, _spire_api_server_bundle_v1_CountBundlesResponse>
  GetBundle: MethodDefinition<_spire_api_server_bundle_v1_GetBundleRequestInput, _spire_api_types_BundleInput, _spire_api_server_bundle_v1_GetBundleRequest, _spire_api_types_Bundle>
  GetFederatedBundle: MethodDefinition<_spire_api_server_bundle_v1_GetFederatedBundleRequestInput, _spire_api_types_BundleInput, _spire_api_server_bundle_v1_GetFederatedBundleRequest, _spire_api_types_Bundle>
  ListFederatedBundles: MethodDefinition<_spire_api_server_bundle_v1_ListFederatedBundlesRequestInput, _spire_api_server_bundle_v1_ListFederatedBundlesResponseInput, _spire_api_server_bundle_v1_ListFederatedBundlesRequest, _spire_api_server_bundle_v1_ListFederatedBundlesResponse>
  PublishJWTAuthority: MethodDefinition<_spire_api_server_bundle_v1_PublishJWTAuthorityRequestInput, _spire_api_server_bundle_v1_PublishJWTAuthorityResponseInput, _spire_api_server_bundle_v1_PublishJWTAuthorityRequest, _spire_api_server_bundle_v1_PublishJWTAuthorityResponse>
  PublishWITAuthority: MethodDefinition<_spire_api_server_bundle_v1_PublishWITAuthorityRequestInput, _spire_api_server_bundle_v1_PublishWITAuthorityResponseInput, _spire_api_server_bundle_v1_PublishWITAuthorityRequest, _spire_api_server_bundle_v1_PublishWITAuthorityResponse>
}
