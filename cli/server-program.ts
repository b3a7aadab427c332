/** Every command of spire-server, with what it does, and some that are ours alone. */
import { type Entry, featured, here, type Program } from './program.ts'

/** Also without a word before them. */
export const entryDiff = here(
  'Compare a file of entries with those that there are',
  async () => (await import('./server/entry/diff.ts')).diff,
)
export const entryApply = here(
  'Make the entries as a file says',
  async () => (await import('./server/entry/apply.ts')).apply,
)

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
  backup: here(
    'Write the whole trust domain into one encrypted file',
    async () => (await import('./server/backup/backup.ts')).backup,
  ),
  restore: here(
    'Restore a backup into an empty store',
    async () => (await import('./server/backup/restore.ts')).restore,
  ),
  export: here(
    'Write all registration entries as JSON with one on each line',
    async () => (await import('./server/export/export.ts')).exportEntries,
  ),
  import: here(
    'Register the entries of an export',
    async () => (await import('./server/import/import.ts')).importFile,
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
  'entry diff': entryDiff,
  'entry apply': entryApply,
  'bundle show': here(
    'Print the bundle of the trust domain',
    async () => (await import('./server/bundle/show.ts')).show,
  ),
  'bundle list': here(
    'List bundles of federated trust domains',
    async () => (await import('./server/bundle/list.ts')).list,
  ),
  'bundle set': here(
    'Store the bundle of a federated trust domain',
    async () => (await import('./server/bundle/set.ts')).set,
  ),
  'bundle delete': here(
    'Delete the bundle of a federated trust domain',
    async () => (await import('./server/bundle/delete.ts')).deleteBundle,
  ),
  'bundle count': here(
    'Count bundles',
    async () => (await import('./server/bundle/count.ts')).count,
  ),
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
  'agent purge': here(
    'Evict agents that expired long ago',
    async () => (await import('./server/agent/purge.ts')).purge,
  ),
  'x509 mint': here(
    'Issue an X.509-SVID without an agent',
    async () => (await import('./server/x509/mint.ts')).mint,
  ),
  'jwt mint': here(
    'Issue a JWT-SVID without an agent',
    async () => (await import('./server/jwt/mint.ts')).mint,
  ),
  'wit mint': featured(
    'wit-svid',
    here(
      'Issue a WIT-SVID without an agent',
      async () => (await import('./server/wit/mint.ts')).mint,
    ),
  ),
  'federation create': here(
    'Federate with a trust domain',
    async () => (await import('./server/federation/create.ts')).create,
  ),
  'federation delete': here(
    'End a federation',
    async () => (await import('./server/federation/delete.ts')).deleteRelationship,
  ),
  'federation list': here(
    'List federated trust domains',
    async () => (await import('./server/federation/list.ts')).list,
  ),
  'federation refresh': here(
    'Fetch the bundle of a federated trust domain now',
    async () => (await import('./server/federation/refresh.ts')).refresh,
  ),
  'federation show': here(
    'Show one federated trust domain',
    async () => (await import('./server/federation/show.ts')).show,
  ),
  'federation update': here(
    'Change a federation',
    async () => (await import('./server/federation/update.ts')).update,
  ),
  'localauthority x509 activate': here(
    'Sign with the prepared X.509 authority from now on',
    async () => (await import('./server/localauthority/activate.ts')).activateX509,
  ),
  'localauthority x509 prepare': here(
    'Prepare a new X.509 authority',
    async () => (await import('./server/localauthority/prepare.ts')).prepareX509,
  ),
  'localauthority x509 revoke': here(
    'Remove an old X.509 authority from the bundle',
    async () => (await import('./server/localauthority/revoke.ts')).revokeX509,
  ),
  'localauthority x509 show': here(
    'Show the X.509 authorities',
    async () => (await import('./server/localauthority/show.ts')).showX509,
  ),
  'localauthority x509 taint': here(
    'Mark an old X.509 authority as no longer to be trusted',
    async () => (await import('./server/localauthority/taint.ts')).taintX509,
  ),
  'localauthority jwt activate': here(
    'Sign with the prepared JWT authority from now on',
    async () => (await import('./server/localauthority/activate.ts')).activateJwt,
  ),
  'localauthority jwt prepare': here(
    'Prepare a new JWT authority',
    async () => (await import('./server/localauthority/prepare.ts')).prepareJwt,
  ),
  'localauthority jwt revoke': here(
    'Remove an old JWT authority from the bundle',
    async () => (await import('./server/localauthority/revoke.ts')).revokeJwt,
  ),
  'localauthority jwt show': here(
    'Show the JWT authorities',
    async () => (await import('./server/localauthority/show.ts')).showJwt,
  ),
  'localauthority jwt taint': here(
    'Mark an old JWT authority as no longer to be trusted',
    async () => (await import('./server/localauthority/taint.ts')).taintJwt,
  ),
  'upstreamauthority revoke': here(
    'Remove an upstream authority from the bundle',
    async () => (await import('./server/upstreamauthority/revoke.ts')).revoke,
  ),
  'upstreamauthority taint': here(
    'Mark an upstream authority as no longer to be trusted',
    async () => (await import('./server/upstreamauthority/taint.ts')).taint,
  ),
  'mesh status': here(
    'Show issuance to service meshes, and why proxies were refused',
    async () => (await import('./server/mesh/status.ts')).status,
  ),
  'logger get': here(
    'Show the log level',
    async () => (await import('./server/logger/get.ts')).get,
  ),
  'logger set': here(
    'Change the log level of the running server',
    async () => (await import('./server/logger/set.ts')).set,
  ),
  'logger reset': here(
    'Go back to the log level of the configuration',
    async () => (await import('./server/logger/reset.ts')).reset,
  ),
  'debug getinfo': here(
    'Show the inside of the running server',
    async () => (await import('./server/debug/getinfo.ts')).getinfo,
  ),
}

export const serverProgram: Program = {
  name: 'server',
  upstream: 'spire-server',
  summary: 'the server: issues identities, keeps registration entries, admits agents',
  errorPrefix: 'Error: ',
  commands: new Map(Object.entries(commands)),
  headings: new Map([
    ['token', 'Admitting agents'],
    ['agent', 'Admitting agents'],
    ['entry', 'Registration entries'],
    ['bundle', 'Trust bundles and federation'],
    ['federation', 'Trust bundles and federation'],
    ['x509', 'SVIDs without an agent'],
    ['jwt', 'SVIDs without an agent'],
    ['wit', 'SVIDs without an agent'],
    ['localauthority', 'Forced rotation of authorities'],
    ['upstreamauthority', 'Forced rotation of authorities'],
    ['mesh', 'Looking inside'],
    ['logger', 'Looking inside'],
    ['debug', 'Looking inside'],
  ]),
}
