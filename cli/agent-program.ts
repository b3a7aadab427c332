/** Every command of spire-agent, with what it does. */
import { type Entry, here, type Program } from './program.ts'

const fetchX509 = here(
  'Fetch X.509-SVIDs from the Workload API',
  async () => (await import('./agent/api/fetch-x509.ts')).fetchX509,
)

const commands: Readonly<Record<string, Entry>> = {
  run: here('Run the agent', async () => (await import('./agent/run.ts')).run),
  validate: here(
    'Check a configuration file without starting anything',
    async () => (await import('./agent/validate.ts')).validate,
  ),
  healthcheck: here(
    'Ask a running agent whether it is healthy',
    async () => (await import('./agent/healthcheck.ts')).healthcheck,
  ),
  'api fetch': fetchX509,
  'api fetch x509': fetchX509,
  'api fetch jwt': here(
    'Fetch JWT-SVIDs and the keys that verify them',
    async () => (await import('./agent/api/fetch-jwt.ts')).fetchJwt,
  ),
  'api validate jwt': here(
    'Have the agent check a JWT-SVID',
    async () => (await import('./agent/api/validate-jwt.ts')).validateJwt,
  ),
  'api watch': here(
    'Print X.509-SVIDs now and whenever they change',
    async () => (await import('./agent/api/watch.ts')).watch,
  ),
  'logger get': here('Show the log level', async () => (await import('./agent/logger/get.ts')).get),
  'logger set': here(
    'Change the log level of the running agent',
    async () => (await import('./agent/logger/set.ts')).set,
  ),
  'logger reset': here(
    'Go back to the log level of the configuration',
    async () => (await import('./agent/logger/reset.ts')).reset,
  ),
  'debug getinfo': here(
    'Show the inside of the running agent',
    async () => (await import('./agent/debug/getinfo.ts')).getinfo,
  ),
}

export const agentProgram: Program = {
  name: 'agent',
  upstream: 'spire-agent',
  summary: 'the agent of a node: attests it and its workloads, serves them their identities',
  errorPrefix: '',
  commands: new Map(Object.entries(commands)),
  headings: new Map([
    ['api', 'What a workload would get'],
    ['logger', 'Looking inside'],
    ['debug', 'Looking inside'],
  ]),
}
