// Original file: proto/steeple/server/sync/v1/sync.proto

import type { EntryInput as _spire_api_types_EntryInput, Entry as _spire_api_types_Entry } from '../../../../spire/api/types/Entry.ts';
import type { BundleInput as _spire_api_types_BundleInput, Bundle as _spire_api_types_Bundle } from '../../../../spire/api/types/Bundle.ts';
import type { Long } from '@grpc/proto-loader';

export interface WatchResponseInput {
  'snapshot'?: (boolean);
  'more'?: (boolean);
  'entries'?: (_spire_api_types_EntryInput)[];
  'removed_entry_ids'?: (string)[];
  'bundle'?: (_spire_api_types_BundleInput | null);
  'federated_bundles'?: (_spire_api_types_BundleInput)[];
  'removed_federated_bundles'?: (string)[];
  'sequence'?: (number | string | Long);
  'heartbeat_ms'?: (number);
  'move'?: (boolean);
}

export interface WatchResponse {
  'snapshot': (boolean);
  'more': (boolean);
  'entries': (_spire_api_types_Entry)[];
  'removed_entry_ids': (string)[];
  'bundle': (_spire_api_types_Bundle | null);
  'federated_bundles': (_spire_api_types_Bundle)[];
  'removed_federated_bundles': (string)[];
  'sequence': (number);
  'heartbeat_ms': (number);
  'move': (boolean);
}
