import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { BackupClient as _steeple_server_backup_v1_BackupClient, BackupDefinition as _steeple_server_backup_v1_BackupDefinition } from './steeple/server/backup/v1/Backup.ts';
import type { CreateBackupRequestInput as _steeple_server_backup_v1_CreateBackupRequestInput, CreateBackupRequest as _steeple_server_backup_v1_CreateBackupRequest } from './steeple/server/backup/v1/CreateBackupRequest.ts';
import type { CreateBackupResponseInput as _steeple_server_backup_v1_CreateBackupResponseInput, CreateBackupResponse as _steeple_server_backup_v1_CreateBackupResponse } from './steeple/server/backup/v1/CreateBackupResponse.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  steeple: {
    server: {
      backup: {
        v1: {
          Backup: SubtypeConstructor<typeof grpc.Client, _steeple_server_backup_v1_BackupClient> & { service: _steeple_server_backup_v1_BackupDefinition }
          CreateBackupRequest: MessageTypeDefinition<_steeple_server_backup_v1_CreateBackupRequestInput, _steeple_server_backup_v1_CreateBackupRequest>
          CreateBackupResponse: MessageTypeDefinition<_steeple_server_backup_v1_CreateBackupResponseInput, _steeple_server_backup_v1_CreateBackupResponse>
        }
      }
    }
  }
}

