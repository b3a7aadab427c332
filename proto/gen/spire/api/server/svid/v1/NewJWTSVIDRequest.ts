// Original file: proto/spire/api/server/svid/v1/svid.proto


export interface NewJWTSVIDRequestInput {
  'entry_id'?: (string);
  'audience'?: (string)[];
}

export interface NewJWTSVIDRequest {
  'entry_id': (string);
  'audience': (string)[];
}
