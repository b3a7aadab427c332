// Original file: proto/spire/api/types/federationrelationship.proto


export interface HTTPSWebProfileInput {
}

export interface HTTPSWebProfile {
}
