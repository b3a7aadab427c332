import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { BundleInput as _spire_api_types_BundleInput, Bundle as _spire_api_types_Bundle } from './spire/api/types/Bundle.ts';
import type { BundleMaskInput as _spire_api_types_BundleMaskInput, BundleMask as _spire_api_types_BundleMask } from './spire/api/types/BundleMask.ts';
import type { EntryInput as _spire_api_types_EntryInput, Entry as _spire_api_types_Entry } from './spire/api/types/Entry.ts';
import type { EntryMaskInput as _spire_api_types_EntryMaskInput, EntryMask as _spire_api_types_EntryMask } from './spire/api/types/EntryMask.ts';
import type { JWTKeyInput as _spire_api_types_JWTKeyInput, JWTKey as _spire_api_types_JWTKey } from './spire/api/types/JWTKey.ts';
import type { SPIFFEIDInput as _spire_api_types_SPIFFEIDInput, SPIFFEID as _spire_api_types_SPIFFEID } from './spire/api/types/SPIFFEID.ts';
import type { SelectorInput as _spire_api_types_SelectorInput, Selector as _spire_api_types_Selector } from './spire/api/types/Selector.ts';
import type { SelectorMatchInput as _spire_api_types_SelectorMatchInput, SelectorMatch as _spire_api_types_SelectorMatch } from './spire/api/types/SelectorMatch.ts';
import type { WITKeyInput as _spire_api_types_WITKeyInput, WITKey as _spire_api_types_WITKey } from './spire/api/types/WITKey.ts';
import type { X509CertificateInput as _spire_api_types_X509CertificateInput, X509Certificate as _spire_api_types_X509Certificate } from './spire/api/types/X509Certificate.ts';
import type { SyncClient as _steeple_server_sync_v1_SyncClient, SyncDefinition as _steeple_server_sync_v1_SyncDefinition } from './steeple/server/sync/v1/Sync.ts';
import type { WatchRequestInput as _steeple_server_sync_v1_WatchRequestInput, WatchRequest as _steeple_server_sync_v1_WatchRequest } from './steeple/server/sync/v1/WatchRequest.ts';
import type { WatchResponseInput as _steeple_server_sync_v1_WatchResponseInput, WatchResponse as _steeple_server_sync_v1_WatchResponse } from './steeple/server/sync/v1/WatchResponse.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  spire: {
    api: {
      types: {
        Bundle: MessageTypeDefinition<_spire_api_types_BundleInput, _spire_api_types_Bundle>
        BundleMask: MessageTypeDefinition<_spire_api_types_BundleMaskInput, _spire_api_types_BundleMask>
        Entry: MessageTypeDefinition<_spire_api_types_EntryInput, _spire_api_types_Entry>
        EntryMask: MessageTypeDefinition<_spire_api_types_EntryMaskInput, _spire_api_types_EntryMask>
        JWTKey: MessageTypeDefinition<_spire_api_types_JWTKeyInput, _spire_api_types_JWTKey>
        SPIFFEID: MessageTypeDefinition<_spire_api_types_SPIFFEIDInput, _spire_api_types_SPIFFEID>
        Selector: MessageTypeDefinition<_spire_api_types_SelectorInput, _spire_api_types_Selector>
        SelectorMatch: MessageTypeDefinition<_spire_api_types_SelectorMatchInput, _spire_api_types_SelectorMatch>
        WITKey: MessageTypeDefinition<_spire_api_types_WITKeyInput, _spire_api_types_WITKey>
        X509Certificate: MessageTypeDefinition<_spire_api_types_X509CertificateInput, _spire_api_types_X509Certificate>
      }
    }
  }
  steeple: {
    server: {
      sync: {
        v1: {
          Sync: SubtypeConstructor<typeof grpc.Client, _steeple_server_sync_v1_SyncClient> & { service: _steeple_server_sync_v1_SyncDefinition }
          WatchRequest: MessageTypeDefinition<_steeple_server_sync_v1_WatchRequestInput, _steeple_server_sync_v1_WatchRequest>
          WatchResponse: MessageTypeDefinition<_steeple_server_sync_v1_WatchResponseInput, _steeple_server_sync_v1_WatchResponse>
        }
      }
    }
  }
}

