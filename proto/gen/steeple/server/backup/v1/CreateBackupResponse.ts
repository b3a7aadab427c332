// Original file: proto/steeple/server/backup/v1/backup.proto


export interface CreateBackupResponseInput {
  'sealed'?: (Buffer | Uint8Array | string);
}

export interface CreateBackupResponse {
  'sealed': (Buffer);
}
