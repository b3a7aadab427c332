// Original file: proto/spiffe/broker/broker.proto

import type { WorkloadReferenceInput as _spiffe_broker_WorkloadReferenceInput, WorkloadReference as _spiffe_broker_WorkloadReference } from '../../spiffe/broker/WorkloadReference.ts';

export interface SubscribeToJWTBundlesRequestInput {
  'reference'?: (_spiffe_broker_WorkloadReferenceInput | null);
}

export interface SubscribeToJWTBundlesRequest {
  'reference': (_spiffe_broker_WorkloadReference | null);
}
