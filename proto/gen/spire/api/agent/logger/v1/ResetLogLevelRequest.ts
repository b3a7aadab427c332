// Original file: proto/spire/api/agent/logger/v1/agent_logger.proto


export interface ResetLogLevelRequestInput {
}

export interface ResetLogLevelRequest {
}
