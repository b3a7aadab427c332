// Original file: proto/spire/api/server/entry/v1/entry.proto

import type { Long } from '@grpc/proto-loader';

export interface EntryRevisionInput {
  'id'?: (string);
  'revision_number'?: (number | string | Long);
  'created_at'?: (number | string | Long);
}

export interface EntryRevision {
  'id': (string);
  'revision_number': (number);
  'created_at': (number);
}
