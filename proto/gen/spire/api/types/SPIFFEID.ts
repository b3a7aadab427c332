// Original file: proto/spire/api/types/spiffeid.proto


export interface SPIFFEIDInput {
  'trust_domain'?: (string);
  'path'?: (string);
}

export interface SPIFFEID {
  'trust_domain': (string);
  'path': (string);
}
