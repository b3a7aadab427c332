// Original file: proto/spire/api/types/attestation.proto


export interface AttestationDataInput {
  'type'?: (string);
  'payload'?: (Buffer | Uint8Array | string);
}

export interface AttestationData {
  'type': (string);
  'payload': (Buffer);
}
