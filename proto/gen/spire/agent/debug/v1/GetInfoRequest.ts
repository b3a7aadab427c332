// Original file: proto/spire/agent/debug/v1/agent_debug.proto


export interface GetInfoRequestInput {
}

export interface GetInfoRequest {
}
