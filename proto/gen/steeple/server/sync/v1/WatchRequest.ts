// Original file: proto/steeple/server/sync/v1/sync.proto

import type { Long } from '@grpc/proto-loader';

export interface WatchRequestInput {
  'known_sequence'?: (number | string | Long);
  'heartbeat_ms'?: (number);
}

export interface WatchRequest {
  'known_sequence': (number);
  'heartbeat_ms': (number);
}
