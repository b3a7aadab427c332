// Original file: proto/steeple/server/mesh/v1/mesh.proto

import type { Long } from '@grpc/proto-loader';

export interface IssuedInput {
  'at'?: (number | string | Long);
  'identity'?: (string);
  'account'?: (string);
  'address'?: (string);
  'expires_at'?: (number | string | Long);
}

export interface Issued {
  'at': (number);
  'identity': (string);
  'account': (string);
  'address': (string);
  'expires_at': (number);
}
