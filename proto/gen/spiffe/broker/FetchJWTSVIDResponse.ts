// Original file: proto/spiffe/broker/broker.proto

import type { JWTSVIDInput as _spiffe_broker_JWTSVIDInput, JWTSVID as _spiffe_broker_JWTSVID } from '../../spiffe/broker/JWTSVID.ts';

export interface FetchJWTSVIDResponseInput {
  'svids'?: (_spiffe_broker_JWTSVIDInput)[];
}

export interface FetchJWTSVIDResponse {
  'svids': (_spiffe_broker_JWTSVID)[];
}
