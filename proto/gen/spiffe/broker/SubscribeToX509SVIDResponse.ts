// Original file: proto/spiffe/broker/broker.proto

import type { X509SVIDInput as _spiffe_broker_X509SVIDInput, X509SVID as _spiffe_broker_X509SVID } from '../../spiffe/broker/X509SVID.ts';

export interface SubscribeToX509SVIDResponseInput {
  'svids'?: (_spiffe_broker_X509SVIDInput)[];
  'crl'?: (Buffer | Uint8Array | string)[];
  'federated_bundles'?: ({[key: string]: Buffer | Uint8Array | string});
}

export interface SubscribeToX509SVIDResponse {
  'svids': (_spiffe_broker_X509SVID)[];
  'crl': (Buffer)[];
  'federated_bundles': ({[key: string]: Buffer});
}
