/**
 * Where a running server or agent listens: the flag, the environment, or SPIRE's default, in this order. The
 * template is for machines with several of them, told apart by `-instance`.
 */
import { IdentityError } from '../../spiffe/error.ts'
import { path, text } from '../flag/kinds.ts'

export interface SocketRules {
  readonly fallback: string
  readonly variable: string
  readonly templateVariable: string
  /** What to say when there is an instance and no template. */
  readonly templateMissing: string
}

export const SERVER_SOCKET: SocketRules = {
  fallback: '/tmp/spire-server/private/api.sock',
  variable: 'SPIRE_SERVER_PRIVATE_SOCKET',
  templateVariable: 'SPIRE_SERVER_PRIVATE_SOCKET_TEMPLATE',
  templateMissing: 'you must define SPIRE_SERVER_PRIVATE_SOCKET_TEMPLATE to use the instance flag',
}

export const AGENT_SOCKET: SocketRules = {
  fallback: '/tmp/spire-agent/public/api.sock',
  variable: 'SPIRE_AGENT_PUBLIC_SOCKET',
  templateVariable: 'SPIRE_AGENT_PUBLIC_SOCKET_TEMPLATE',
  templateMissing:
    'SPIRE_AGENT_PUBLIC_SOCKET_TEMPLATE environment variable must be defined when using the instance flag',
}

const PLACE = '%i'

const socketFlags = ({ fallback, variable, templateVariable }: SocketRules, whose: string) => ({
  socketPath: {
    ...path(`Unix socket of the ${whose}`),
    defaultText: fallback,
    variable: { name: variable, summary: 'instead of the default of' },
  },
  instance: {
    ...text(`name of this ${whose}, where a machine has several`),
    variable: { name: templateVariable, summary: `path of the socket, with ${PLACE} for` },
  },
})

export const serverSocketFlags = socketFlags(SERVER_SOCKET, 'server')
export const agentSocketFlags = socketFlags(AGENT_SOCKET, 'agent')

export interface SocketFlags {
  readonly socketPath: string
  readonly instance: string
}

/**
 * @throws IdentityError REQUEST_INVALID when an instance is named and there is no template for it, even if the path
 *   is given, too, and no template needed: as SPIRE
 */
export function resolveSocketPath(
  { socketPath, instance }: SocketFlags,
  rules: SocketRules,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const fallback =
    instance === ''
      ? env[rules.variable] || rules.fallback
      : instancePath(instance, rules, env[rules.templateVariable] ?? '')
  return socketPath === '' ? fallback : socketPath
}

function instancePath(instance: string, rules: SocketRules, template: string): string {
  if (template === '') throw new IdentityError('REQUEST_INVALID', rules.templateMissing)
  if (template.includes(PLACE)) return template.replaceAll(PLACE, () => instance)
  const why = `failed to find ${PLACE} in ${rules.templateVariable}`
  throw new IdentityError('REQUEST_INVALID', why)
}
