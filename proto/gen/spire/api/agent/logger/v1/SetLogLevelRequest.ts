// Original file: proto/spire/api/agent/logger/v1/agent_logger.proto

import type { LogLevelInput as _spire_api_types_LogLevelInput, LogLevel as _spire_api_types_LogLevel } from '../../../../../spire/api/types/LogLevel.ts';

export interface SetLogLevelRequestInput {
  'new_level'?: (_spire_api_types_LogLevelInput);
}

export interface SetLogLevelRequest {
  'new_level': (_spire_api_types_LogLevel);
}
