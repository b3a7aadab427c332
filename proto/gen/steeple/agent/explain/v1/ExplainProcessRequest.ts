// Original file: proto/steeple/agent/explain/v1/explain.proto


export interface ExplainProcessRequestInput {
  'pid'?: (number);
  'entry_ids'?: (string)[];
}

export interface ExplainProcessRequest {
  'pid': (number);
  'entry_ids': (string)[];
}
