/** Every command of the proxy. */
import { type Entry, here, type Program } from './program.ts'

const commands: Readonly<Record<string, Entry>> = {
  rules: here(
    'Print, apply or remove the rules that bring connections to the proxy',
    async () => (await import('./proxy/rules.ts')).rules,
  ),
  run: here('Run the proxy', async () => (await import('./proxy/run.ts')).run),
  validate: here(
    'Check a configuration file and its policies without starting anything',
    async () => (await import('./proxy/validate.ts')).validate,
  ),
}

export const proxyProgram: Program = {
  name: 'proxy',
  upstream: undefined,
  summary: 'the proxy of a workload: mutual TLS with its identity, and policy on who may call it',
  errorPrefix: 'Error: ',
  commands: new Map(Object.entries(commands)),
  headings: new Map(),
}
