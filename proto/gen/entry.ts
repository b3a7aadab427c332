import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { BoolValueInput as _google_protobuf_BoolValueInput, BoolValue as _google_protobuf_BoolValue } from './google/protobuf/BoolValue.ts';
import type { BytesValueInput as _google_protobuf_BytesValueInput, BytesValue as _google_protobuf_BytesValue } from './google/protobuf/BytesValue.ts';
import type { DoubleValueInput as _google_protobuf_DoubleValueInput, DoubleValue as _google_protobuf_DoubleValue } from './google/protobuf/DoubleValue.ts';
import type { FloatValueInput as _google_protobuf_FloatValueInput, FloatValue as _google_protobuf_FloatValue } from './google/protobuf/FloatValue.ts';
import type { Int32ValueInput as _google_protobuf_Int32ValueInput, Int32Value as _google_protobuf_Int32Value } from './google/protobuf/Int32Value.ts';
import type { Int64ValueInput as _google_protobuf_Int64ValueInput, Int64Value as _google_protobuf_Int64Value } from './google/protobuf/Int64Value.ts';
import type { StringValueInput as _google_protobuf_StringValueInput, StringValue as _google_protobuf_StringValue } from './google/protobuf/StringValue.ts';
import type { UInt32ValueInput as _google_protobuf_UInt32ValueInput, UInt32Value as _google_protobuf_UInt32Value } from './google/protobuf/UInt32Value.ts';
import type { UInt64ValueInput as _google_protobuf_UInt64ValueInput, UInt64Value as _google_protobuf_UInt64Value } from './google/protobuf/UInt64Value.ts';
import type { BatchCreateEntryRequestInput as _spire_api_server_entry_v1_BatchCreateEntryRequestInput, BatchCreateEntryRequest as _spire_api_server_entry_v1_BatchCreateEntryRequest } from './spire/api/server/entry/v1/BatchCreateEntryRequest.ts';
import type { BatchCreateEntryResponseInput as _spire_api_server_entry_v1_BatchCreateEntryResponseInput, BatchCreateEntryResponse as _spire_api_server_entry_v1_BatchCreateEntryResponse } from './spire/api/server/entry/v1/BatchCreateEntryResponse.ts';
import type { BatchDeleteEntryRequestInput as _spire_api_server_entry_v1_BatchDeleteEntryRequestInput, BatchDeleteEntryRequest as _spire_api_server_entry_v1_BatchDeleteEntryRequest } from './spire/api/server/entry/v1/BatchDeleteEntryRequest.ts';
import type { BatchDeleteEntryResponseInput as _spire_api_server_entry_v1_BatchDeleteEntryResponseInput, BatchDeleteEntryResponse as _spire_api_server_entry_v1_BatchDeleteEntryResponse } from './spire/api/server/entry/v1/BatchDeleteEntryResponse.ts';
import type { BatchUpdateEntryRequestInput as _spire_api_server_entry_v1_BatchUpdateEntryRequestInput, BatchUpdateEntryRequest as _spire_api_server_entry_v1_BatchUpdateEntryRequest } from './spire/api/server/entry/v1/BatchUpdateEntryRequest.ts';
import type { BatchUpdateEntryResponseInput as _spire_api_server_entry_v1_BatchUpdateEntryResponseInput, BatchUpdateEntryResponse as _spire_api_server_entry_v1_BatchUpdateEntryResponse } from './spire/api/server/entry/v1/BatchUpdateEntryResponse.ts';
import type { CountEntriesRequestInput as _spire_api_server_entry_v1_CountEntriesRequestInput, CountEntriesRequest as _spire_api_server_entry_v1_CountEntriesRequest } from './spire/api/server/entry/v1/CountEntriesRequest.ts';
import type { CountEntriesResponseInput as _spire_api_server_entry_v1_CountEntriesResponseInput, CountEntriesResponse as _spire_api_server_entry_v1_CountEntriesResponse } from './spire/api/server/entry/v1/CountEntriesResponse.ts';
import type { EntryClient as _spire_api_server_entry_v1_EntryClient, EntryDefinition as _spire_api_server_entry_v1_EntryDefinition } from './spire/api/server/entry/v1/Entry.ts';
import type { EntryRevisionInput as _spire_api_server_entry_v1_EntryRevisionInput, EntryRevision as _spire_api_server_entry_v1_EntryRevision } from './spire/api/server/entry/v1/EntryRevision.ts';
import type { GetAuthorizedEntriesRequestInput as _spire_api_server_entry_v1_GetAuthorizedEntriesRequestInput, GetAuthorizedEntriesRequest as _spire_api_server_entry_v1_GetAuthorizedEntriesRequest } from './spire/api/server/entry/v1/GetAuthorizedEntriesRequest.ts';
import type { GetAuthorizedEntriesResponseInput as _spire_api_server_entry_v1_GetAuthorizedEntriesResponseInput, GetAuthorizedEntriesResponse as _spire_api_server_entry_v1_GetAuthorizedEntriesResponse } from './spire/api/server/entry/v1/GetAuthorizedEntriesResponse.ts';
import type { GetEntryRequestInput as _spire_api_server_entry_v1_GetEntryRequestInput, GetEntryRequest as _spire_api_server_entry_v1_GetEntryRequest } from './spire/api/server/entry/v1/GetEntryRequest.ts';
import type { ListEntriesRequestInput as _spire_api_server_entry_v1_ListEntriesRequestInput, ListEntriesRequest as _spire_api_server_entry_v1_ListEntriesRequest } from './spire/api/server/entry/v1/ListEntriesRequest.ts';
import type { ListEntriesResponseInput as _spire_api_server_entry_v1_ListEntriesResponseInput, ListEntriesResponse as _spire_api_server_entry_v1_ListEntriesResponse } from './spire/api/server/entry/v1/ListEntriesResponse.ts';
import type { SyncAuthorizedEntriesRequestInput as _spire_api_server_entry_v1_SyncAuthorizedEntriesRequestInput, SyncAuthorizedEntriesRequest as _spire_api_server_entry_v1_SyncAuthorizedEntriesRequest } from './spire/api/server/entry/v1/SyncAuthorizedEntriesRequest.ts';
import type { SyncAuthorizedEntriesResponseInput as _spire_api_server_entry_v1_SyncAuthorizedEntriesResponseInput, SyncAuthorizedEntriesResponse as _spire_api_server_entry_v1_SyncAuthorizedEntriesResponse } from './spire/api/server/entry/v1/SyncAuthorizedEntriesResponse.ts';
import type { EntryInput as _spire_api_types_EntryInput, Entry as _spire_api_types_Entry } from './spire/api/types/Entry.ts';
import type { EntryMaskInput as _spire_api_types_EntryMaskInput, EntryMask as _spire_api_types_EntryMask } from './spire/api/types/EntryMask.ts';
import type { FederatesWithMatchInput as _spire_api_types_FederatesWithMatchInput, FederatesWithMatch as _spire_api_types_FederatesWithMatch } from './spire/api/types/FederatesWithMatch.ts';
import type { PermissionDeniedDetailsInput as _spire_api_types_PermissionDeniedDetailsInput, PermissionDeniedDetails as _spire_api_types_PermissionDeniedDetails } from './spire/api/types/PermissionDeniedDetails.ts';
import type { SPIFFEIDInput as _spire_api_types_SPIFFEIDInput, SPIFFEID as _spire_api_types_SPIFFEID } from './spire/api/types/SPIFFEID.ts';
import type { SelectorInput as _spire_api_types_SelectorInput, Selector as _spire_api_types_Selector } from './spire/api/types/Selector.ts';
import type { SelectorMatchInput as _spire_api_types_SelectorMatchInput, SelectorMatch as _spire_api_types_SelectorMatch } from './spire/api/types/SelectorMatch.ts';
import type { StatusInput as _spire_api_types_StatusInput, Status as _spire_api_types_Status } from './spire/api/types/Status.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  google: {
    protobuf: {
      BoolValue: MessageTypeDefinition<_google_protobuf_BoolValueInput, _google_protobuf_BoolValue>
      BytesValue: MessageTypeDefinition<_google_protobuf_BytesValueInput, _google_protobuf_BytesValue>
      DoubleValue: MessageTypeDefinition<_google_protobuf_DoubleValueInput, _google_protobuf_DoubleValue>
      FloatValue: MessageTypeDefinition<_google_protobuf_FloatValueInput, _google_protobuf_FloatValue>
      Int32Value: MessageTypeDefinition<_google_protobuf_Int32ValueInput, _google_protobuf_Int32Value>
      Int64Value: MessageTypeDefinition<_google_protobuf_Int64ValueInput, _google_protobuf_Int64Value>
      StringValue: MessageTypeDefinition<_google_protobuf_StringValueInput, _google_protobuf_StringValue>
      UInt32Value: MessageTypeDefinition<_google_protobuf_UInt32ValueInput, _google_protobuf_UInt32Value>
      UInt64Value: MessageTypeDefinition<_google_protobuf_UInt64ValueInput, _google_protobuf_UInt64Value>
    }
  }
  spire: {
    api: {
      server: {
        entry: {
          v1: {
            BatchCreateEntryRequest: MessageTypeDefinition<_spire_api_server_entry_v1_BatchCreateEntryRequestInput, _spire_api_server_entry_v1_BatchCreateEntryRequest>
            BatchCreateEntryResponse: MessageTypeDefinition<_spire_api_server_entry_v1_BatchCreateEntryResponseInput, _spire_api_server_entry_v1_BatchCreateEntryResponse>
            BatchDeleteEntryRequest: MessageTypeDefinition<_spire_api_server_entry_v1_BatchDeleteEntryRequestInput, _spire_api_server_entry_v1_BatchDeleteEntryRequest>
            BatchDeleteEntryResponse: MessageTypeDefinition<_spire_api_server_entry_v1_BatchDeleteEntryResponseInput, _spire_api_server_entry_v1_BatchDeleteEntryResponse>
            BatchUpdateEntryRequest: MessageTypeDefinition<_spire_api_server_entry_v1_BatchUpdateEntryRequestInput, _spire_api_server_entry_v1_BatchUpdateEntryRequest>
            BatchUpdateEntryResponse: MessageTypeDefinition<_spire_api_server_entry_v1_BatchUpdateEntryResponseInput, _spire_api_server_entry_v1_BatchUpdateEntryResponse>
            CountEntriesRequest: MessageTypeDefinition<_spire_api_server_entry_v1_CountEntriesRequestInput, _spire_api_server_entry_v1_CountEntriesRequest>
            CountEntriesResponse: MessageTypeDefinition<_spire_api_server_entry_v1_CountEntriesResponseInput, _spire_api_server_entry_v1_CountEntriesResponse>
            Entry: SubtypeConstructor<typeof grpc.Client, _spire_api_server_entry_v1_EntryClient> & { service: _spire_api_server_entry_v1_EntryDefinition }
            EntryRevision: MessageTypeDefinition<_spire_api_server_entry_v1_EntryRevisionInput, _spire_api_server_entry_v1_EntryRevision>
            GetAuthorizedEntriesRequest: MessageTypeDefinition<_spire_api_server_entry_v1_GetAuthorizedEntriesRequestInput, _spire_api_server_entry_v1_GetAuthorizedEntriesRequest>
            GetAuthorizedEntriesResponse: MessageTypeDefinition<_spire_api_server_entry_v1_GetAuthorizedEntriesResponseInput, _spire_api_server_entry_v1_GetAuthorizedEntriesResponse>
            GetEntryRequest: MessageTypeDefinition<_spire_api_server_entry_v1_GetEntryRequestInput, _spire_api_server_entry_v1_GetEntryRequest>
            ListEntriesRequest: MessageTypeDefinition<_spire_api_server_entry_v1_ListEntriesRequestInput, _spire_api_server_entry_v1_ListEntriesRequest>
            ListEntriesResponse: MessageTypeDefinition<_spire_api_server_entry_v1_ListEntriesResponseInput, _spire_api_server_entry_v1_ListEntriesResponse>
            SyncAuthorizedEntriesRequest: MessageTypeDefinition<_spire_api_server_entry_v1_SyncAuthorizedEntriesRequestInput, _spire_api_server_entry_v1_SyncAuthorizedEntriesRequest>
            SyncAuthorizedEntriesResponse: MessageTypeDefinition<_spire_api_server_entry_v1_SyncAuthorizedEntriesResponseInput, _spire_api_server_entry_v1_SyncAuthorizedEntriesResponse>
          }
        }
      }
      types: {
        Entry: MessageTypeDefinition<_spire_api_types_EntryInput, _spire_api_types_Entry>
        EntryMask: MessageTypeDefinition<_spire_api_types_EntryMaskInput, _spire_api_types_EntryMask>
        FederatesWithMatch: MessageTypeDefinition<_spire_api_types_FederatesWithMatchInput, _spire_api_types_FederatesWithMatch>
        PermissionDeniedDetails: MessageTypeDefinition<_spire_api_types_PermissionDeniedDetailsInput, _spire_api_types_PermissionDeniedDetails>
        SPIFFEID: MessageTypeDefinition<_spire_api_types_SPIFFEIDInput, _spire_api_types_SPIFFEID>
        Selector: MessageTypeDefinition<_spire_api_types_SelectorInput, _spire_api_types_Selector>
        SelectorMatch: MessageTypeDefinition<_spire_api_types_SelectorMatchInput, _spire_api_types_SelectorMatch>
        Status: MessageTypeDefinition<_spire_api_types_StatusInput, _spire_api_types_Status>
      }
    }
  }
}

