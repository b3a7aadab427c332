// Original file: proto/spire/api/server/logger/v1/logger.proto


export interface ResetLogLevelRequestInput {
}

export interface ResetLogLevelRequest {
}
