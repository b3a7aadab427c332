// Original file: proto/spiffe/broker/broker.proto

import type { WorkloadReferenceInput as _spiffe_broker_WorkloadReferenceInput, WorkloadReference as _spiffe_broker_WorkloadReference } from '../../spiffe/broker/WorkloadReference.ts';

export interface SubscribeToX509SVIDRequestInput {
  'reference'?: (_spiffe_broker_WorkloadReferenceInput | null);
}

export interface SubscribeToX509SVIDRequest {
  'reference': (_spiffe_broker_WorkloadReference | null);
}
