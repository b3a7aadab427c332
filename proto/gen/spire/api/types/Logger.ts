// Original file: proto/spire/api/types/logger.proto

import type { LogLevelInput as _spire_api_types_LogLevelInput, LogLevel as _spire_api_types_LogLevel } from '../../../spire/api/types/LogLevel.ts';

export interface LoggerInput {
  'current_level'?: (_spire_api_types_LogLevelInput);
  'launch_level'?: (_spire_api_types_LogLevelInput);
}

export interface Logger {
  'current_level': (_spire_api_types_LogLevel);
  'launch_level': (_spire_api_types_LogLevel);
}
