// Original file: proto/spiffe/broker/broker.proto


export interface WorkloadPIDReferenceInput {
  'pid'?: (number);
}

export interface WorkloadPIDReference {
  'pid': (number);
}
