// Original file: proto/steeple/server/backup/v1/backup.proto


export interface CreateBackupRequestInput {
  'file_key'?: (Buffer | Uint8Array | string);
  'head'?: (Buffer | Uint8Array | string);
}

export interface CreateBackupRequest {
  'file_key': (Buffer);
  'head': (Buffer);
}
