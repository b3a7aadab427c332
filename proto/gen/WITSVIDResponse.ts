// Original file: proto/workload/workload.proto

import type { WITSVIDInput as _WITSVIDInput, WITSVID as _WITSVID } from './WITSVID.ts';

export interface WITSVIDResponseInput {
  'svids'?: (_WITSVIDInput)[];
}

export interface WITSVIDResponse {
  'svids': (_WITSVID)[];
}
