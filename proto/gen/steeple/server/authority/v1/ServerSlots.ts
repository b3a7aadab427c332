// Original file: proto/steeple/server/authority/v1/authority.proto


export interface ServerSlotsInput {
  'prepared'?: (string);
  'active'?: (string);
  'old'?: (string);
}

export interface ServerSlots {
  'prepared': (string);
  'active': (string);
  'old': (string);
}
