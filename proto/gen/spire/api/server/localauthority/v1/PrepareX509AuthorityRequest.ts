// Original file: proto/spire/api/server/localauthority/v1/localauthority.proto


export interface PrepareX509AuthorityRequestInput {
}

export interface PrepareX509AuthorityRequest {
}
