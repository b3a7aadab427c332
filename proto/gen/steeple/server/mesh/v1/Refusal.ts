// Original file: proto/steeple/server/mesh/v1/mesh.proto

import type { Long } from '@grpc/proto-loader';

export interface RefusalInput {
  'at'?: (number | string | Long);
  'check'?: (string);
  'reason'?: (string);
  'identity'?: (string);
  'account'?: (string);
  'cluster'?: (string);
  'address'?: (string);
}

export interface Refusal {
  'at': (number);
  'check': (string);
  'reason': (string);
  'identity': (string);
  'account': (string);
  'cluster': (string);
  'address': (string);
}
