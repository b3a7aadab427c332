// Original file: proto/workload/workload.proto


export interface JWTBundlesResponseInput {
  'bundles'?: ({[key: string]: Buffer | Uint8Array | string});
}

export interface JWTBundlesResponse {
  'bundles': ({[key: string]: Buffer});
}
