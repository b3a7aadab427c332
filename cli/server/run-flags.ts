/** The flags of `run` and `validate` of the server; each stands over its key in the file. */
import { boolean, integer, text } from '../flag/kinds.ts'

export const serverRunFlags = {
  bindAddress: text('IP address to listen on'),
  config: { ...text('configuration file'), defaultText: 'conf/server/server.conf' },
  dataDir: text('directory for what the server keeps'),
  expandEnv: boolean('replace $VARIABLES in the configuration file'),
  logFile: text('file for the log, else standard output'),
  logFormat: text('text or json'),
  logLevel: text('debug, info, warn or error'),
  logSourceLocation: boolean('show source lines in the log'),
  serverPort: integer('TCP port to listen on'),
  socketPath: text('Unix socket for operators'),
  trustDomain: text('trust domain of the server'),
}
