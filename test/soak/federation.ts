/**
 * `node test/soak/federation.ts [rotations]`: two federated trust domains in every combination of ours and SPIRE's, by both
 * profiles, side by side. Workloads call each other by mutual TLS and judge each other's tokens all the time, while both
 * sides replace their X.509 and JWT authorities every minute, ten times unless told otherwise; then one server is stopped
 * for two refresh periods. Needs the peers spire-server, spire-agent and go-client. Ends with 1 when a call failed.
 */
import { systemClock } from '../../spiffe/clock.ts'
import { reasonOf } from '../../spiffe/error.ts'
import {
  activate,
  type Domain,
  isTokenBelieved,
  openTwoDomains,
  type Profile,
  prepare,
  type TwoDomains,
  workloadEnv,
} from '../interop/federation/two-domains.ts'
import { peer } from '../interop/interop.ts'
import type { Kind } from '../processes/cluster.ts'
import { run, start, until } from '../processes/process.ts'

const ROTATION_MS = 60_000
const REFRESH_PERIOD_MS = 60_000
const PAUSE_MS = 1_000

interface Count {
  calls: number
  tokens: number
  readonly failures: string[]
}

/** Calls from one domain to a server of the other, and judges a token, again and again until it is told to stop. */
async function callAll(from: Domain, to: Domain, count: Count, stop: AbortSignal): Promise<void> {
  const served = start(peer('go-client'), ['serve', '127.0.0.1:0', from.workloadId], {
    env: workloadEnv(to.agent),
  })
  await using _served = served
  const [, port = ''] = await served.line(/"listening":"127\.0\.0\.1:(\d+)"/)
  const fail = (what: string) => {
    const when = systemClock.now().toISOString()
    count.failures.push(`${when} ${from.workloadId} to ${to.workloadId}: ${what}`)
  }
  while (!stop.aborted) {
    const called = await run(
      peer('go-client'),
      ['call', `https://127.0.0.1:${port}`, to.workloadId],
      { env: workloadEnv(from.agent) },
    )
    count.calls++
    if (called.code !== 0) fail(called.stderr.trim())
    count.tokens++
    if (!(await isTokenBelieved(from, to))) fail('its token was not believed')
    await systemClock.sleep(PAUSE_MS, stop)
  }
}

async function rotateAll({ left, right, bothKnow }: TwoDomains, rotations: number): Promise<void> {
  const servers = [left.server, right.server]
  for (let done = 0; done < rotations; done++) {
    const next = systemClock.sleep(ROTATION_MS)
    await Promise.all(servers.map(prepare))
    await bothKnow()
    await Promise.all(servers.map(activate))
    await next
  }
}

async function soak(kinds: readonly [Kind, Kind], profile: Profile, rotations: number) {
  await using domains = await openTwoDomains(kinds, profile)
  const { left, right } = domains
  const count: Count = { calls: 0, tokens: 0, failures: [] }
  await until('the first tokens to be believed', async () =>
    (await isTokenBelieved(left, right)) ? isTokenBelieved(right, left) : false,
  )
  const stop = new AbortController()
  const calling = [
    callAll(left, right, count, stop.signal),
    callAll(right, left, count, stop.signal),
  ]
  try {
    await rotateAll(domains, rotations)
    await left.server.process()[Symbol.asyncDispose]()
    await systemClock.sleep(2 * REFRESH_PERIOD_MS)
  } finally {
    stop.abort()
    await Promise.all(calling)
  }
  return count
}

const rotations = Number(process.argv[2] ?? 10)
const kinds: readonly Kind[] = ['steeple', 'spire']
const cells = (['https_spiffe', 'https_web'] as const).flatMap((profile) =>
  kinds.flatMap((left) => kinds.map((right) => ({ left, right, profile }))),
)
const results = await Promise.all(
  cells.map(async ({ left, right, profile }) => {
    const name = `${left} with ${right} by ${profile}`
    try {
      const { calls, tokens, failures } = await soak([left, right], profile, rotations)
      const said = failures.map((failure) => `\n  ${failure}`).join('')
      process.stdout.write(
        `${name}: ${calls} calls, ${tokens} tokens, ${failures.length} failed${said}\n`,
      )
      return failures.length === 0
    } catch (error) {
      process.stdout.write(`${name}: it broke off: ${reasonOf(error)}\n`)
      return false
    }
  }),
)
process.exitCode = results.every(Boolean) ? 0 : 1
