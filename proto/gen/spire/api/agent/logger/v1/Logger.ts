// Original file: proto/spire/api/agent/logger/v1/agent_logger.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { GetLoggerRequestInput as _spire_api_agent_logger_v1_GetLoggerRequestInput, GetLoggerRequest as _spire_api_agent_logger_v1_GetLoggerRequest } from '../../../../../spire/api/agent/logger/v1/GetLoggerRequest.ts';
import type { LoggerInput as _spire_api_types_LoggerInput, Logger as _spire_api_types_Logger } from '../../../../../spire/api/types/Logger.ts';
import type { ResetLogLevelRequestInput as _spire_api_agent_logger_v1_ResetLogLevelRequestInput, ResetLogLevelRequest as _spire_api_agent_logger_v1_ResetLogLevelRequest } from '../../../../../spire/api/agent/logger/v1/ResetLogLevelRequest.ts';
import type { SetLogLevelRequestInput as _spire_api_agent_logger_v1_SetLogLevelRequestInput, SetLogLevelRequest as _spire_api_agent_logger_v1_SetLogLevelRequest } from '../../../../../spire/api/agent/logger/v1/SetLogLevelRequest.ts';

export interface LoggerClient extends grpc.Client {
  GetLogger(argument: _spire_api_agent_logger_v1_GetLoggerRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Logger>): grpc.ClientUnaryCall;
  GetLogger(argument: _spire_api_agent_logger_v1_GetLoggerRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_types_Logger>): grpc.ClientUnaryCall;
  GetLogger(argument: _spire_api_agent_logger_v1_GetLoggerRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Logger>): grpc.ClientUnaryCall;
  GetLogger(argument: _spire_api_agent_logger_v1_GetLoggerRequestInput, callback: grpc.requestCallback<_spire_api_types_Logger>): grpc.ClientUnaryCall;
  getLogger(argument: _spire_api_agent_logger_v1_GetLoggerRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Logger>): grpc.ClientUnaryCall;
  getLogger(argument: _spire_api_agent_logger_v1_GetLoggerRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_types_Logger>): grpc.ClientUnaryCall;
  getLogger(argument: _spire_api_agent_logger_v1_GetLoggerRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Logger>): grpc.ClientUnaryCall;
  getLogger(argument: _spire_api_agent_logger_v1_GetLoggerRequestInput, callback: grpc.requestCallback<_spire_api_types_Logger>): grpc.ClientUnaryCall;
  
  ResetLogLevel(argument: _spire_api_agent_logger_v1_ResetLogLevelRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Logger>): grpc.ClientUnaryCall;
  ResetLogLevel(argument: _spire_api_agent_logger_v1_ResetLogLevelRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_types_Logger>): grpc.ClientUnaryCall;
  ResetLogLevel(argument: _spire_api_agent_logger_v1_ResetLogLevelRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Logger>): grpc.ClientUnaryCall;
  ResetLogLevel(argument: _spire_api_agent_logger_v1_ResetLogLevelRequestInput, callback: grpc.requestCallback<_spire_api_types_Logger>): grpc.ClientUnaryCall;
  resetLogLevel(argument: _spire_api_agent_logger_v1_ResetLogLevelRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Logger>): grpc.ClientUnaryCall;
  resetLogLevel(argument: _spire_api_agent_logger_v1_ResetLogLevelRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_types_Logger>): grpc.ClientUnaryCall;
  resetLogLevel(argument: _spire_api_agent_logger_v1_ResetLogLevelRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Logger>): grpc.ClientUnaryCall;
  resetLogLevel(argument: _spire_api_agent_logger_v1_ResetLogLevelRequestInput, callback: grpc.requestCallback<_spire_api_types_Logger>): grpc.ClientUnaryCall;
  
  SetLogLevel(argument: _spire_api_agent_logger_v1_SetLogLevelRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Logger>): grpc.ClientUnaryCall;
  SetLogLevel(argument: _spire_api_agent_logger_v1_SetLogLevelRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_types_Logger>): grpc.ClientUnaryCall;
  SetLogLevel(argument: _spire_api_agent_logger_v1_SetLogLevelRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Logger>): grpc.ClientUnaryCall;
  SetLogLevel(argument: _spire_api_agent_logger_v1_SetLogLevelRequestInput, callback: grpc.requestCallback<_spire_api_types_Logger>): grpc.ClientUnaryCall;
  setLogLevel(argument: _spire_api_agent_logger_v1_SetLogLevelRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Logger>): grpc.ClientUnaryCall;
  setLogLevel(argument: _spire_api_agent_logger_v1_SetLogLevelRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_types_Logger>): grpc.ClientUnaryCall;
  setLogLevel(argument: _spire_api_agent_logger_v1_SetLogLevelRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Logger>): grpc.ClientUnaryCall;
  setLogLevel(argument: _spire_api_agent_logger_v1_SetLogLevelRequestInput, callback: grpc.requestCallback<_spire_api_types_Logger>): grpc.ClientUnaryCall;
  
}

export interface LoggerHandlers extends grpc.UntypedServiceImplementation {
  GetLogger: grpc.handleUnaryCall<_spire_api_agent_logger_v1_GetLoggerRequest, _spire_api_types_LoggerInput>;
  
  ResetLogLevel: grpc.handleUnaryCall<_spire_api_agent_logger_v1_ResetLogLevelRequest, _spire_api_types_LoggerInput>;
  
  SetLogLevel: grpc.handleUnaryCall<_spire_api_agent_logger_v1_SetLogLevelRequest, _spire_api_types_LoggerInput>;
  
}

export interface LoggerDefinition extends grpc.ServiceDefinition {
  GetLogger: MethodDefinition<_spire_api_agent_logger_v1_GetLoggerRequestInput, _spire_api_types_LoggerInput, _spire_api_agent_logger_v1_GetLoggerRequest, _spire_api_types_Logger>
  ResetLogLevel: MethodDefinition<_spire_api_agent_logger_v1_ResetLogLevelRequestInput, _spire_api_types_LoggerInput, _spire_api_agent_logger_v1_ResetLogLevelRequest, _spire_api_types_Logger>
  SetLogLevel: MethodDefinition<_spire_api_agent_logger_v1_SetLogLevelRequestInput, _spire_api_types_LoggerInput, _spire_api_agent_logger_v1_SetLogLevelRequest, _spire_api_types_Logger>
}
