// Original file: proto/spire/api/server/bundle/v1/bundle.proto


export interface CountBundlesResponseInput {
  'count'?: (number);
}

export interface CountBundlesResponse {
  'count': (number);
}
