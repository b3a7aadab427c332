// Original file: proto/spire/api/server/agent/v1/agent.proto


export interface PostStatusResponseInput {
}

export interface PostStatusResponse {
}
