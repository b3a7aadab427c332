// Original file: proto/spiffe/broker/broker.proto

import type { WorkloadReferenceInput as _spiffe_broker_WorkloadReferenceInput, WorkloadReference as _spiffe_broker_WorkloadReference } from '../../spiffe/broker/WorkloadReference.ts';

export interface FetchJWTSVIDRequestInput {
  'reference'?: (_spiffe_broker_WorkloadReferenceInput | null);
  'audience'?: (string)[];
  'spiffe_id'?: (string);
}

export interface FetchJWTSVIDRequest {
  'reference': (_spiffe_broker_WorkloadReference | null);
  'audience': (string)[];
  'spiffe_id': (string);
}
