// Original file: proto/spire/api/types/federationrelationship.proto


export interface HTTPSSPIFFEProfileInput {
  'endpoint_spiffe_id'?: (string);
}

export interface HTTPSSPIFFEProfile {
  'endpoint_spiffe_id': (string);
}
