// Original file: proto/spire/api/server/localauthority/v1/localauthority.proto


export interface PrepareJWTAuthorityRequestInput {
}

export interface PrepareJWTAuthorityRequest {
}
