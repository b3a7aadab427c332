// Original file: proto/spiffe/broker/broker.proto


export interface JWTSVIDInput {
  'spiffe_id'?: (string);
  'svid'?: (string);
  'hint'?: (string);
}

export interface JWTSVID {
  'spiffe_id': (string);
  'svid': (string);
  'hint': (string);
}
