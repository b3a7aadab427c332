// Original file: proto/spire/api/server/entry/v1/entry.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { BatchCreateEntryRequestInput as _spire_api_server_entry_v1_BatchCreateEntryRequestInput, BatchCreateEntryRequest as _spire_api_server_entry_v1_BatchCreateEntryRequest } from '../../../../../spire/api/server/entry/v1/BatchCreateEntryRequest.ts';
import type { BatchCreateEntryResponseInput as _spire_api_server_entry_v1_BatchCreateEntryResponseInput, BatchCreateEntryResponse as _spire_api_server_entry_v1_BatchCreateEntryResponse } from '../../../../../spire/api/server/entry/v1/BatchCreateEntryResponse.ts';
import type { BatchDeleteEntryRequestInput as _spire_api_server_entry_v1_BatchDeleteEntryRequestInput, BatchDeleteEntryRequest as _spire_api_server_entry_v1_BatchDeleteEntryRequest } from '../../../../../spire/api/server/entry/v1/BatchDeleteEntryRequest.ts';
import type { BatchDeleteEntryResponseInput as _spire_api_server_entry_v1_BatchDeleteEntryResponseInput, BatchDeleteEntryResponse as _spire_api_server_entry_v1_BatchDeleteEntryResponse } from '../../../../../spire/api/server/entry/v1/BatchDeleteEntryResponse.ts';
import type { BatchUpdateEntryRequestInput as _spire_api_server_entry_v1_BatchUpdateEntryRequestInput, BatchUpdateEntryRequest as _spire_api_server_entry_v1_BatchUpdateEntryRequest } from '../../../../../spire/api/server/entry/v1/BatchUpdateEntryRequest.ts';
import type { BatchUpdateEntryResponseInput as _spire_api_server_entry_v1_BatchUpdateEntryResponseInput, BatchUpdateEntryResponse as _spire_api_server_entry_v1_BatchUpdateEntryResponse } from '../../../../../spire/api/server/entry/v1/BatchUpdateEntryResponse.ts';
import type { CountEntriesRequestInput as _spire_api_server_entry_v1_CountEntriesRequestInput, CountEntriesRequest as _spire_api_server_entry_v1_CountEntriesRequest } from '../../../../../spire/api/server/entry/v1/CountEntriesRequest.ts';
import type { CountEntriesResponseInput as _spire_api_server_entry_v1_CountEntriesResponseInput, CountEntriesResponse as _spire_api_server_entry_v1_CountEntriesResponse } from '../../../../../spire/api/server/entry/v1/CountEntriesResponse.ts';
import type { EntryInput as _spire_api_types_EntryInput, Entry as _spire_api_types_Entry } from '../../../../../spire/api/types/Entry.ts';
import type { GetAuthorizedEntriesRequestInput as _spire_api_server_entry_v1_GetAuthorizedEntriesRequestInput, GetAuthorizedEntriesRequest as _spire_api_server_entry_v1_GetAuthorizedEntriesRequest } from '../../../../../spire/api/server/entry/v1/GetAuthorizedEntriesRequest.ts';
import type { GetAuthorizedEntriesResponseInput as _spire_api_server_entry_v1_GetAuthorizedEntriesResponseInput, GetAuthorizedEntriesResponse as _spire_api_server_entry_v1_GetAuthorizedEntriesResponse } from '../../../../../spire/api/server/entry/v1/GetAuthorizedEntriesResponse.ts';
import type { GetEntryRequestInput as _spire_api_server_entry_v1_GetEntryRequestInput, GetEntryRequest as _spire_api_server_entry_v1_GetEntryRequest } from '../../../../../spire/api/server/entry/v1/GetEntryRequest.ts';
import type { ListEntriesRequestInput as _spire_api_server_entry_v1_ListEntriesRequestInput, ListEntriesRequest as _spire_api_server_entry_v1_ListEntriesRequest } from '../../../../../spire/api/server/entry/v1/ListEntriesRequest.ts';
import type { ListEntriesResponseInput as _spire_api_server_entry_v1_ListEntriesResponseInput, ListEntriesResponse as _spire_api_server_entry_v1_ListEntriesResponse } from '../../../../../spire/api/server/entry/v1/ListEntriesResponse.ts';
import type { SyncAuthorizedEntriesRequestInput as _spire_api_server_entry_v1_SyncAuthorizedEntriesRequestInput, SyncAuthorizedEntriesRequest as _spire_api_server_entry_v1_SyncAuthorizedEntriesRequest } from '../../../../../spire/api/server/entry/v1/SyncAuthorizedEntriesRequest.ts';
import type { SyncAuthorizedEntriesResponseInput as _spire_api_server_entry_v1_SyncAuthorizedEntriesResponseInput, SyncAuthorizedEntriesResponse as _spire_api_server_entry_v1_SyncAuthorizedEntriesResponse } from '../../../../../spire/api/server/entry/v1/SyncAuthorizedEntriesResponse.ts';

export interface EntryClient extends grpc.Client {
  BatchCreateEntry(argument: _spire_api_server_entry_v1_BatchCreateEntryRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_entry_v1_BatchCreateEntryResponse>): grpc.ClientUnaryCall;
  BatchCreateEntry(argument: _spire_api_server_entry_v1_BatchCreateEntryRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_entry_v1_BatchCreateEntryResponse>): grpc.ClientUnaryCall;
  BatchCreateEntry(argument: _spire_api_server_entry_v1_BatchCreateEntryRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_entry_v1_BatchCreateEntryResponse>): grpc.ClientUnaryCall;
  BatchCreateEntry(argument: _spire_api_server_entry_v1_BatchCreateEntryRequestInput, callback: grpc.requestCallback<_spire_api_server_entry_v1_BatchCreateEntryResponse>): grpc.ClientUnaryCall;
  batchCreateEntry(argument: _spire_api_server_entry_v1_BatchCreateEntryRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_entry_v1_BatchCreateEntryResponse>): grpc.ClientUnaryCall;
  batchCreateEntry(argument: _spire_api_server_entry_v1_BatchCreateEntryRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_entry_v1_BatchCreateEntryResponse>): grpc.ClientUnaryCall;
  batchCreateEntry(argument: _spire_api_server_entry_v1_BatchCreateEntryRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_entry_v1_BatchCreateEntryResponse>): grpc.ClientUnaryCall;
  batchCreateEntry(argument: _spire_api_server_entry_v1_BatchCreateEntryRequestInput, callback: grpc.requestCallback<_spire_api_server_entry_v1_BatchCreateEntryResponse>): grpc.ClientUnaryCall;
  
  BatchDeleteEntry(argument: _spire_api_server_entry_v1_BatchDeleteEntryRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_entry_v1_BatchDeleteEntryResponse>): grpc.ClientUnaryCall;
  BatchDeleteEntry(argument: _spire_api_server_entry_v1_BatchDeleteEntryRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_entry_v1_BatchDeleteEntryResponse>): grpc.ClientUnaryCall;
  BatchDeleteEntry(argument: _spire_api_server_entry_v1_BatchDeleteEntryRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_entry_v1_BatchDeleteEntryResponse>): grpc.ClientUnaryCall;
  BatchDeleteEntry(argument: _spire_api_server_entry_v1_BatchDeleteEntryRequestInput, callback: grpc.requestCallback<_spire_api_server_entry_v1_BatchDeleteEntryResponse>): grpc.ClientUnaryCall;
  batchDeleteEntry(argument: _spire_api_server_entry_v1_BatchDeleteEntryRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_entry_v1_BatchDeleteEntryResponse>): grpc.ClientUnaryCall;
  batchDeleteEntry(argument: _spire_api_server_entry_v1_BatchDeleteEntryRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_entry_v1_BatchDeleteEntryResponse>): grpc.ClientUnaryCall;
  batchDeleteEntry(argument: _spire_api_server_entry_v1_BatchDeleteEntryRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_entry_v1_BatchDeleteEntryResponse>): grpc.ClientUnaryCall;
  batchDeleteEntry(argument: _spire_api_server_entry_v1_BatchDeleteEntryRequestInput, callback: grpc.requestCallback<_spire_api_server_entry_v1_BatchDeleteEntryResponse>): grpc.ClientUnaryCall;
  
  BatchUpdateEntry(argument: _spire_api_server_entry_v1_BatchUpdateEntryRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_entry_v1_BatchUpdateEntryResponse>): grpc.ClientUnaryCall;
  BatchUpdateEntry(argument: _spire_api_server_entry_v1_BatchUpdateEntryRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_entry_v1_BatchUpdateEntryResponse>): grpc.ClientUnaryCall;
  BatchUpdateEntry(argument: _spire_api_server_entry_v1_BatchUpdateEntryRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_entry_v1_BatchUpdateEntryResponse>): grpc.ClientUnaryCall;
  BatchUpdateEntry(argument: _spire_api_server_entry_v1_BatchUpdateEntryRequestInput, callback: grpc.requestCallback<_spire_api_server_entry_v1_BatchUpdateEntryResponse>): grpc.ClientUnaryCall;
  batchUpdateEntry(argument: _spire_api_server_entry_v1_BatchUpdateEntryRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_entry_v1_BatchUpdateEntryResponse>): grpc.ClientUnaryCall;
  batchUpdateEntry(argument: _spire_api_server_entry_v1_BatchUpdateEntryRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_entry_v1_BatchUpdateEntryResponse>): grpc.ClientUnaryCall;
  batchUpdateEntry(argument: _spire_api_server_entry_v1_BatchUpdateEntryRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_entry_v1_BatchUpdateEntryResponse>): grpc.ClientUnaryCall;
  batchUpdateEntry(argument: _spire_api_server_entry_v1_BatchUpdateEntryRequestInput, callback: grpc.requestCallback<_spire_api_server_entry_v1_BatchUpdateEntryResponse>): grpc.ClientUnaryCall;
  
  CountEntries(argument: _spire_api_server_entry_v1_CountEntriesRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_entry_v1_CountEntriesResponse>): grpc.ClientUnaryCall;
  CountEntries(argument: _spire_api_server_entry_v1_CountEntriesRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_entry_v1_CountEntriesResponse>): grpc.ClientUnaryCall;
  CountEntries(argument: _spire_api_server_entry_v1_CountEntriesRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_entry_v1_CountEntriesResponse>): grpc.ClientUnaryCall;
  CountEntries(argument: _spire_api_server_entry_v1_CountEntriesRequestInput, callback: grpc.requestCallback<_spire_api_server_entry_v1_CountEntriesResponse>): grpc.ClientUnaryCall;
  countEntries(argument: _spire_api_server_entry_v1_CountEntriesRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_entry_v1_CountEntriesResponse>): grpc.ClientUnaryCall;
  countEntries(argument: _spire_api_server_entry_v1_CountEntriesRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_entry_v1_CountEntriesResponse>): grpc.ClientUnaryCall;
  countEntries(argument: _spire_api_server_entry_v1_CountEntriesRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_entry_v1_CountEntriesResponse>): grpc.ClientUnaryCall;
  countEntries(argument: _spire_api_server_entry_v1_CountEntriesRequestInput, callback: grpc.requestCallback<_spire_api_server_entry_v1_CountEntriesResponse>): grpc.ClientUnaryCall;
  
  GetAuthorizedEntries(argument: _spire_api_server_entry_v1_GetAuthorizedEntriesRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_entry_v1_GetAuthorizedEntriesResponse>): grpc.ClientUnaryCall;
  GetAuthorizedEntries(argument: _spire_api_server_entry_v1_GetAuthorizedEntriesRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_entry_v1_GetAuthorizedEntriesResponse>): grpc.ClientUnaryCall;
  GetAuthorizedEntries(argument: _spire_api_server_entry_v1_GetAuthorizedEntriesRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_entry_v1_GetAuthorizedEntriesResponse>): grpc.ClientUnaryCall;
  GetAuthorizedEntries(argument: _spire_api_server_entry_v1_GetAuthorizedEntriesRequestInput, callback: grpc.requestCallback<_spire_api_server_entry_v1_GetAuthorizedEntriesResponse>): grpc.ClientUnaryCall;
  getAuthorizedEntries(argument: _spire_api_server_entry_v1_GetAuthorizedEntriesRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_entry_v1_GetAuthorizedEntriesResponse>): grpc.ClientUnaryCall;
  getAuthorizedEntries(argument: _spire_api_server_entry_v1_GetAuthorizedEntriesRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_entry_v1_GetAuthorizedEntriesResponse>): grpc.ClientUnaryCall;
  getAuthorizedEntries(argument: _spire_api_server_entry_v1_GetAuthorizedEntriesRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_entry_v1_GetAuthorizedEntriesResponse>): grpc.ClientUnaryCall;
  getAuthorizedEntries(argument: _spire_api_server_entry_v1_GetAuthorizedEntriesRequestInput, callback: grpc.requestCallback<_spire_api_server_entry_v1_GetAuthorizedEntriesResponse>): grpc.ClientUnaryCall;
  
  GetEntry(argument: _spire_api_server_entry_v1_GetEntryRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Entry>): grpc.ClientUnaryCall;
  GetEntry(argument: _spire_api_server_entry_v1_GetEntryRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_types_Entry>): grpc.ClientUnaryCall;
  GetEntry(argument: _spire_api_server_entry_v1_GetEntryRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Entry>): grpc.ClientUnaryCall;
  GetEntry(argument: _spire_api_server_entry_v1_GetEntryRequestInput, callback: grpc.requestCallback<_spire_api_types_Entry>): grpc.ClientUnaryCall;
  getEntry(argument: _spire_api_server_entry_v1_GetEntryRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Entry>): grpc.ClientUnaryCall;
  getEntry(argument: _spire_api_server_entry_v1_GetEntryRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_types_Entry>): grpc.ClientUnaryCall;
  getEntry(argument: _spire_api_server_entry_v1_GetEntryRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Entry>): grpc.ClientUnaryCall;
  getEntry(argument: _spire_api_server_entry_v1_GetEntryRequestInput, callback: grpc.requestCallback<_spire_api_types_Entry>): grpc.ClientUnaryCall;
  
  ListEntries(argument: _spire_api_server_entry_v1_ListEntriesRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_entry_v1_ListEntriesResponse>): grpc.ClientUnaryCall;
  ListEntries(argument: _spire_api_server_entry_v1_ListEntriesRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_entry_v1_ListEntriesResponse>): grpc.ClientUnaryCall;
  ListEntries(argument: _spire_api_server_entry_v1_ListEntriesRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_entry_v1_ListEntriesResponse>): grpc.ClientUnaryCall;
  ListEntries(argument: _spire_api_server_entry_v1_ListEntriesRequestInput, callback: grpc.requestCallback<_spire_api_server_entry_v1_ListEntriesResponse>): grpc.ClientUnaryCall;
  listEntries(argument: _spire_api_server_entry_v1_ListEntriesRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_entry_v1_ListEntriesResponse>): grpc.ClientUnaryCall;
  listEntries(argument: _spire_api_server_entry_v1_ListEntriesRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_entry_v1_ListEntriesResponse>): grpc.ClientUnaryCall;
  listEntries(argument: _spire_api_server_entry_v1_ListEntriesRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_entry_v1_ListEntriesResponse>): grpc.ClientUnaryCall;
  listEntries(argument: _spire_api_server_entry_v1_ListEntriesRequestInput, callback: grpc.requestCallback<_spire_api_server_entry_v1_ListEntriesResponse>): grpc.ClientUnaryCall;
  
  SyncAuthorizedEntries(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_spire_api_server_entry_v1_SyncAuthorizedEntriesRequestInput, _spire_api_server_entry_v1_SyncAuthorizedEntriesResponse>;
  SyncAuthorizedEntries(options?: grpc.CallOptions): grpc.ClientDuplexStream<_spire_api_server_entry_v1_SyncAuthorizedEntriesRequestInput, _spire_api_server_entry_v1_SyncAuthorizedEntriesResponse>;
  syncAuthorizedEntries(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_spire_api_server_entry_v1_SyncAuthorizedEntriesRequestInput, _spire_api_server_entry_v1_SyncAuthorizedEntriesResponse>;
  syncAuthorizedEntries(options?: grpc.CallOptions): grpc.ClientDuplexStream<_spire_api_server_entry_v1_SyncAuthorizedEntriesRequestInput, _spire_api_server_entry_v1_SyncAuthorizedEntriesResponse>;
  
}

export interface EntryHandlers extends grpc.UntypedServiceImplementation {
  BatchCreateEntry: grpc.handleUnaryCall<_spire_api_server_entry_v1_BatchCreateEntryRequest, _spire_api_server_entry_v1_BatchCreateEntryResponseInput>;
  
  BatchDeleteEntry: grpc.handleUnaryCall<_spire_api_server_entry_v1_BatchDeleteEntryRequest, _spire_api_server_entry_v1_BatchDeleteEntryResponseInput>;
  
  BatchUpdateEntry: grpc.handleUnaryCall<_spire_api_server_entry_v1_BatchUpdateEntryRequest, _spire_api_server_entry_v1_BatchUpdateEntryResponseInput>;
  
  CountEntries: grpc.handleUnaryCall<_spire_api_server_entry_v1_CountEntriesRequest, _spire_api_server_entry_v1_CountEntriesResponseInput>;
  
  GetAuthorizedEntries: grpc.handleUnaryCall<_spire_api_server_entry_v1_GetAuthorizedEntriesRequest, _spire_api_server_entry_v1_GetAuthorizedEntriesResponseInput>;
  
  GetEntry: grpc.handleUnaryCall<_spire_api_server_entry_v1_GetEntryRequest, _spire_api_types_EntryInput>;
  
  ListEntries: grpc.handleUnaryCall<_spire_api_server_entry_v1_ListEntriesRequest, _spire_api_server_entry_v1_ListEntriesResponseInput>;
  
  SyncAuthorizedEntries: grpc.handleBidiStreamingCall<_spire_api_server_entry_v1_SyncAuthorizedEntriesRequest, _spire_api_server_entry_v1_SyncAuthorizedEntriesResponseInput>;
  
}

export interface EntryDefinition extends grpc.ServiceDefinition {
  BatchCreateEntry: MethodDefinition<_spire_api_server_entry_v1_BatchCreateEntryRequestInput, _spire_api_server_entry_v1_BatchCreateEntryResponseInput, _spire_api_server_entry_v1_BatchCreateEntryRequest, _spire_api_server_entry_v1_BatchCreateEntryResponse>
  BatchDeleteEntry: MethodDefinition<_spire_api_server_entry_v1_BatchDeleteEntryRequestInput, _spire_api_server_entry_v1_BatchDeleteEntryResponseInput, _spire_api_server_entry_v1_BatchDeleteEntryRequest, _spire_api_server_entry_v1_BatchDeleteEntryResponse>
  BatchUpdateEntry: MethodDefinition<_spire_api_server_entry_v1_BatchUpdateEntryRequestInput, _spire_api_server_entry_v1_BatchUpdateEntryResponseInput, _spire_api_server_entry_v1_BatchUpdateEntryRequest, _spire_api_server_entry_v1_BatchUpdateEntryResponse>
  CountEntries: MethodDefinition<_spire_api_server_entry_v1_CountEntriesRequestInput, _spire_api_server_entry_v1_CountEntriesResponseInput, _spire_api_server_entry_v1_CountEntriesRequest, _spire_api_server_entry_v1_CountEntriesResponse>
  GetAuthorizedEntries: MethodDefinition<_spire_api_server_entry_v1_GetAuthorizedEntriesRequestInput, _spire_api_server_entry_v1_GetAuthorizedEntriesResponseInput, _spire_api_server_entry_v1_GetAuthorizedEntriesRequest, _spire_api_server_entry_v1_GetAuthorizedEntriesResponse>
  GetEntry: MethodDefinition<_spire_api_server_entry_v1_GetEntryRequestInput, _spire_api_types_EntryInput, _spire_api_server_entry_v1_GetEntryRequest, _spire_api_types_Entry>
  ListEntries: MethodDefinition<_spire_api_server_entry_v1_ListEntriesRequestInput, _spire_api_server_entry_v1_ListEntriesResponseInput, _spire_api_server_entry_v1_ListEntriesRequest, _spire_api_server_entry_v1_ListEntriesResponse>
  SyncAuthorizedEntries: MethodDefinition<_spire_api_server_entry_v1_SyncAuthorizedEntriesRequestInput, _spire_api_server_entry_v1_SyncAuthorizedEntriesResponseInput, _spire_api_server_entry_v1_SyncAuthorizedEntriesRequest, _spire_api_server_entry_v1_SyncAuthorizedEntriesResponse>
}
