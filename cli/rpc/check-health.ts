/** Asks grpc.health.v1 for the whole of a server or agent. Anything but "serving" is unhealthy. */
import { healthApi } from '../../proto/load.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { Session } from '../command.ts'
import { quote } from '../output/go-quote.ts'
import type { Endpoint } from './endpoint.ts'

export interface HealthQuestion {
  readonly whose: 'server' | 'agent'
  readonly isVerbose: boolean
  readonly session: Session
}

/** @throws IdentityError UNAVAILABLE, in the words of SPIRE, when it is not healthy */
export async function checkHealth(
  endpoint: Endpoint,
  { whose, isVerbose, session }: HealthQuestion,
): Promise<void> {
  const { terminal } = session
  if (isVerbose) terminal.print(`Checking ${whose} health...\n`)
  const unhealthy = (why: string, cause?: unknown) =>
    new IdentityError('UNAVAILABLE', `${whose} is unhealthy: ${why}`, { cause })
  const health = endpoint.client(healthApi())
  let status: string
  try {
    const answer = await endpoint.call<{ readonly status: string }>((options, done) =>
      health.Check({ service: '' }, options, done),
    )
    status = answer.status
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    if (isVerbose) terminal.complain(`Failed to check health: ${reasonOf(error)}\n`)
    throw unhealthy('unable to determine health', error)
  }
  if (status !== 'SERVING') throw unhealthy(`${whose} returned status ${quote(status)}`)
}
