// Original file: proto/steeple/server/backup/v1/backup.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { CreateBackupRequestInput as _steeple_server_backup_v1_CreateBackupRequestInput, CreateBackupRequest as _steeple_server_backup_v1_CreateBackupRequest } from '../../../../steeple/server/backup/v1/CreateBackupRequest.ts';
import type { CreateBackupResponseInput as _steeple_server_backup_v1_CreateBackupResponseInput, CreateBackupResponse as _steeple_server_backup_v1_CreateBackupResponse } from '../../../../steeple/server/backup/v1/CreateBackupResponse.ts';

export interface BackupClient extends grpc.Client {
  Create(argument: _steeple_server_backup_v1_CreateBackupRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_steeple_server_backup_v1_CreateBackupResponse>;
  Create(argument: _steeple_server_backup_v1_CreateBackupRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_steeple_server_backup_v1_CreateBackupResponse>;
  create(argument: _steeple_server_backup_v1_CreateBackupRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_steeple_server_backup_v1_CreateBackupResponse>;
  create(argument: _steeple_server_backup_v1_CreateBackupRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_steeple_server_backup_v1_CreateBackupResponse>;
  
}

export interface BackupHandlers extends grpc.UntypedServiceImplementation {
  Create: grpc.handleServerStreamingCall<_steeple_server_backup_v1_CreateBackupRequest, _steeple_server_backup_v1_CreateBackupResponseInput>;
  
}

export interface BackupDefinition extends grpc.ServiceDefinition {
  Create: MethodDefinition<_steeple_server_backup_v1_CreateBackupRequestInput, _steeple_server_backup_v1_CreateBackupResponseInput, _steeple_server_backup_v1_CreateBackupRequest, _steeple_server_backup_v1_CreateBackupResponse>
}
