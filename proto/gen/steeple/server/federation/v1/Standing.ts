// Original file: proto/steeple/server/federation/v1/federation.proto

import type { Long } from '@grpc/proto-loader';

export interface StandingInput {
  'trust_domain'?: (string);
  'bundle_endpoint_url'?: (string);
  'configured'?: (boolean);
  'refreshed_at'?: (number | string | Long);
  'next_at'?: (number | string | Long);
  'failed_at'?: (number | string | Long);
  'failure'?: (string);
  'failures_in_a_row'?: (number);
  'has_bundle'?: (boolean);
  'bundle_sequence_number'?: (number | string | Long);
  'earliest_expiry'?: (number | string | Long);
}

export interface Standing {
  'trust_domain': (string);
  'bundle_endpoint_url': (string);
  'configured': (boolean);
  'refreshed_at': (number);
  'next_at': (number);
  'failed_at': (number);
  'failure': (string);
  'failures_in_a_row': (number);
  'has_bundle': (boolean);
  'bundle_sequence_number': (number);
  'earliest_expiry': (number);
}
