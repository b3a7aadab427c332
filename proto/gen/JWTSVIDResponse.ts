// Original file: proto/workload/workload.proto

import type { JWTSVIDInput as _JWTSVIDInput, JWTSVID as _JWTSVID } from './JWTSVID.ts';

export interface JWTSVIDResponseInput {
  'svids'?: (_JWTSVIDInput)[];
}

export interface JWTSVIDResponse {
  'svids': (_JWTSVID)[];
}
