/** The commands of the OIDC discovery provider. */
import { type Entry, here, type Program } from './program.ts'

const commands: Readonly<Record<string, Entry>> = {
  run: here('Run the OIDC discovery provider', async () => (await import('./oidc/run.ts')).run),
  validate: here(
    'Check a configuration file without starting anything',
    async () => (await import('./oidc/validate.ts')).validate,
  ),
}

export const oidcProgram: Program = {
  name: 'oidc',
  upstream: undefined,
  summary: 'the OIDC discovery provider: lets any OpenID verifier check JWT-SVIDs',
  errorPrefix: '',
  commands: new Map(Object.entries(commands)),
  headings: new Map(),
}
