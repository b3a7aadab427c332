// Original file: proto/workload/workload.proto

import type { X509SVIDInput as _X509SVIDInput, X509SVID as _X509SVID } from './X509SVID.ts';

export interface X509SVIDResponseInput {
  'svids'?: (_X509SVIDInput)[];
  'crl'?: (Buffer | Uint8Array | string)[];
  'federated_bundles'?: ({[key: string]: Buffer | Uint8Array | string});
}

export interface X509SVIDResponse {
  'svids': (_X509SVID)[];
  'crl': (Buffer)[];
  'federated_bundles': ({[key: string]: Buffer});
}
