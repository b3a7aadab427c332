import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { GetLoggerRequestInput as _spire_api_agent_logger_v1_GetLoggerRequestInput, GetLoggerRequest as _spire_api_agent_logger_v1_GetLoggerRequest } from './spire/api/agent/logger/v1/GetLoggerRequest.ts';
import type { LoggerClient as _spire_api_agent_logger_v1_LoggerClient, LoggerDefinition as _spire_api_agent_logger_v1_LoggerDefinition } from './spire/api/agent/logger/v1/Logger.ts';
import type { ResetLogLevelRequestInput as _spire_api_agent_logger_v1_ResetLogLevelRequestInput, ResetLogLevelRequest as _spire_api_agent_logger_v1_ResetLogLevelRequest } from './spire/api/agent/logger/v1/ResetLogLevelRequest.ts';
import type { SetLogLevelRequestInput as _spire_api_agent_logger_v1_SetLogLevelRequestInput, SetLogLevelRequest as _spire_api_agent_logger_v1_SetLogLevelRequest } from './spire/api/agent/logger/v1/SetLogLevelRequest.ts';
import type { LoggerInput as _spire_api_types_LoggerInput, Logger as _spire_api_types_Logger } from './spire/api/types/Logger.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  spire: {
    api: {
      agent: {
        logger: {
          v1: {
            GetLoggerRequest: MessageTypeDefinition<_spire_api_agent_logger_v1_GetLoggerRequestInput, _spire_api_agent_logger_v1_GetLoggerRequest>
            Logger: SubtypeConstructor<typeof grpc.Client, _spire_api_agent_logger_v1_LoggerClient> & { service: _spire_api_agent_logger_v1_LoggerDefinition }
            ResetLogLevelRequest: MessageTypeDefinition<_spire_api_agent_logger_v1_ResetLogLevelRequestInput, _spire_api_agent_logger_v1_ResetLogLevelRequest>
            SetLogLevelRequest: MessageTypeDefinition<_spire_api_agent_logger_v1_SetLogLevelRequestInput, _spire_api_agent_logger_v1_SetLogLevelRequest>
          }
        }
      }
      types: {
        LogLevel: EnumTypeDefinition
        Logger: MessageTypeDefinition<_spire_api_types_LoggerInput, _spire_api_types_Logger>
      }
    }
  }
}

