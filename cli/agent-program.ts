/** Every command of spire-agent, with what it does; those that are not here yet say so by name. */
import { type Entry, here, notYet, type Program } from './program.ts'

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
  'logger get': notYet('Show the log level'),
  'logger set': notYet('Change the log level of the running agent'),
  'logger reset': notYet('Go back to the log level of the configuration'),
  'debug getinfo': notYet('Show the inside of the running agent'),
}

export const agentProgram: Program = {
  name: 'agent',
  summary: 'the agent of a node: attests it and its workloads, serves them their identities',
  errorPrefix: '',
  commands: new Map(Object.entries(commands)),
}
