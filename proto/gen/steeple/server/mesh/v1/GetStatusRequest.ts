// Original file: proto/steeple/server/mesh/v1/mesh.proto


export interface GetStatusRequestInput {
}

export interface GetStatusRequest {
}
