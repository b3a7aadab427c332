// Original file: proto/steeple/server/mesh/v1/mesh.proto

import type { Long } from '@grpc/proto-loader';

export interface ClusterInput {
  'name'?: (string);
  'server'?: (string);
  'ready'?: (boolean);
  'pods'?: (number | string | Long);
  'problem'?: (string);
}

export interface Cluster {
  'name': (string);
  'server': (string);
  'ready': (boolean);
  'pods': (number);
  'problem': (string);
}
