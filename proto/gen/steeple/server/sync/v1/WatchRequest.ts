// Original file: proto/steeple/server/sync/v1/sync.proto


export interface WatchRequestInput {
}

export interface WatchRequest {
}
