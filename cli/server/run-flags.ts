/** The flags of `run` and `validate` of the server; each stands over its key in the file. */
import { boolean, choice, integer, path, text } from '../flag/kinds.ts'

export const serverRunFlags = {
  bindAddress: text('IP address to listen on'),
  config: { ...path('configuration file'), defaultText: 'conf/server/server.conf' },
  dataDir: path('directory for what the server keeps'),
  expandEnv: boolean('replace $VARIABLES in the configuration file'),
  logFile: path('file for the log, else standard output'),
  logFormat: choice('form of the log', ['text', 'json']),
  logLevel: choice('how much to log', ['debug', 'info', 'warn', 'error']),
  logSourceLocation: boolean('show source lines in the log'),
  serverPort: integer('TCP port to listen on'),
  socketPath: path('Unix socket for operators'),
  trustDomain: text('trust domain of the server'),
}
