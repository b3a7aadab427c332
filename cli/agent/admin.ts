/** What the commands of an agent's administrator have in common: their flags, and how their failures are told. */
import { IdentityError } from '../../spiffe/error.ts'
import type { Session } from '../command.ts'
import { outputFormat, path } from '../flag/kinds.ts'
import { connectAgentAdmin, type Endpoint } from '../rpc/endpoint.ts'

/** SPIRE's default; here as there, an agent has an admin socket only if its configuration says where. */
export const ADMIN_SOCKET_PATH = '/tmp/spire-agent/private/admin.sock'

export const adminFlags = {
  socketPath: path('admin socket of the agent, as its admin_socket_path has it', ADMIN_SOCKET_PATH),
  output: outputFormat('form of the output'),
}

/** Unlike the commands of a workload, spire-agent's of an administrator say `Error: ` first. @throws IdentityError */
export async function withAgentAdmin<T>(
  socketPath: string,
  session: Session,
  ask: (agent: Endpoint) => Promise<T>,
): Promise<T> {
  using agent = connectAgentAdmin(socketPath === '' ? ADMIN_SOCKET_PATH : socketPath, session)
  return await sayingError(() => ask(agent))
}

export async function sayingError<T>(attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt()
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    throw new IdentityError(error.code, `Error: ${error.message}`, { cause: error })
  }
}
