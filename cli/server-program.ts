/** Every command of spire-server, with what it does; those that are not here yet say so by name. */
import type { AnyCommand } from './command.ts'
import type { Entry, Program } from './program.ts'

const here = (summary: string, load: () => Promise<AnyCommand>): Entry => ({ summary, load })
const notYet = (summary: string): Entry => ({ summary, load: undefined })

const commands: Readonly<Record<string, Entry>> = {
  run: here('Run the server', async () => (await import('./server/run.ts')).run),
  validate: here(
    'Check a configuration file without starting anything',
    async () => (await import('./server/validate.ts')).validate,
  ),
  healthcheck: here(
    'Ask a running server whether it is healthy',
    async () => (await import('./server/healthcheck.ts')).healthcheck,
  ),
  'token generate': here(
    'Make a join token that admits one agent, once',
    async () => (await import('./server/token/generate.ts')).generate,
  ),
  'entry create': here(
    'Register workloads or nodes',
    async () => (await import('./server/entry/create.ts')).create,
  ),
  'entry show': here(
    'List registration entries',
    async () => (await import('./server/entry/show.ts')).show,
  ),
  'entry update': here(
    'Replace registration entries',
    async () => (await import('./server/entry/update.ts')).update,
  ),
  'entry delete': here(
    'Delete registration entries',
    async () => (await import('./server/entry/delete.ts')).deleteEntries,
  ),
  'entry count': here(
    'Count registration entries',
    async () => (await import('./server/entry/count.ts')).count,
  ),
  'bundle show': here(
    'Print the bundle of the trust domain',
    async () => (await import('./server/bundle/show.ts')).show,
  ),
  'bundle list': notYet('List bundles of federated trust domains'),
  'bundle set': notYet('Store the bundle of a federated trust domain'),
  'bundle delete': notYet('Delete the bundle of a federated trust domain'),
  'bundle count': notYet('Count bundles'),
  'agent list': here(
    'List attested agents',
    async () => (await import('./server/agent/list.ts')).list,
  ),
  'agent show': here(
    'Show one attested agent',
    async () => (await import('./server/agent/show.ts')).show,
  ),
  'agent count': here(
    'Count attested agents',
    async () => (await import('./server/agent/count.ts')).count,
  ),
  'agent ban': here(
    'Shut an agent out for good',
    async () => (await import('./server/agent/ban.ts')).ban,
  ),
  'agent evict': here(
    'Forget an agent, which may attest again',
    async () => (await import('./server/agent/evict.ts')).evict,
  ),
  'agent purge': notYet('Evict agents that expired long ago'),
  'x509 mint': here(
    'Issue an X.509-SVID without an agent',
    async () => (await import('./server/x509/mint.ts')).mint,
  ),
  'jwt mint': here(
    'Issue a JWT-SVID without an agent',
    async () => (await import('./server/jwt/mint.ts')).mint,
  ),
  'wit mint': notYet('Issue a WIT-SVID without an agent'),
  'federation create': notYet('Federate with a trust domain'),
  'federation delete': notYet('End a federation'),
  'federation list': notYet('List federated trust domains'),
  'federation refresh': notYet('Fetch the bundle of a federated trust domain now'),
  'federation show': notYet('Show one federated trust domain'),
  'federation update': notYet('Change a federation'),
  'localauthority x509 activate': notYet('Sign with the prepared X.509 authority from now on'),
  'localauthority x509 prepare': notYet('Prepare a new X.509 authority'),
  'localauthority x509 revoke': notYet('Remove an old X.509 authority from the bundle'),
  'localauthority x509 show': notYet('Show the X.509 authorities'),
  'localauthority x509 taint': notYet('Mark an old X.509 authority as no longer to be trusted'),
  'localauthority jwt activate': notYet('Sign with the prepared JWT authority from now on'),
  'localauthority jwt prepare': notYet('Prepare a new JWT authority'),
  'localauthority jwt revoke': notYet('Remove an old JWT authority from the bundle'),
  'localauthority jwt show': notYet('Show the JWT authorities'),
  'localauthority jwt taint': notYet('Mark an old JWT authority as no longer to be trusted'),
  'upstreamauthority revoke': notYet('Remove an upstream authority from the bundle'),
  'upstreamauthority taint': notYet('Mark an upstream authority as no longer to be trusted'),
  'logger get': notYet('Show the log level'),
  'logger set': notYet('Change the log level of the running server'),
  'logger reset': notYet('Go back to the log level of the configuration'),
  'debug getinfo': notYet('Show the inside of the running server'),
}

export const serverProgram: Program = {
  name: 'server',
  summary: 'the server: issues identities, keeps registration entries, admits agents',
  errorPrefix: 'Error: ',
  commands: new Map(Object.entries(commands)),
}
