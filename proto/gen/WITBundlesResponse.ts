// Original file: proto/workload/workload.proto


export interface WITBundlesResponseInput {
  'bundles'?: ({[key: string]: string});
}

export interface WITBundlesResponse {
  'bundles': ({[key: string]: string});
}
