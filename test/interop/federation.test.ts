/**
 * Two trust domains that fetch each other's bundle from where it is served, ours or SPIRE's in any combination, by both
 * profiles: their workloads call each other by mutual TLS and believe each other's tokens, through forced rotations on
 * both sides, and go on when one endpoint is away.
 */
import { describe, expect } from 'vitest'
import type { Kind } from '../processes/cluster.ts'
import { run, start, until } from '../processes/process.ts'
import {
  activate,
  type Domain,
  isTokenBelieved,
  openTwoDomains,
  type Profile,
  prepare,
  workloadEnv,
} from './federation/two-domains.ts'
import { interop, type Peer, peer } from './interop.ts'

/** A workload of `from` calls one of `to` by mutual TLS, and its token is believed there. */
async function calls(from: Domain, to: Domain): Promise<boolean> {
  const served = start(peer('go-client'), ['serve', '127.0.0.1:0', from.workloadId], {
    env: workloadEnv(to.agent),
  })
  await using _served = served
  const [, port = ''] = await served.line(/"listening":"127\.0\.0\.1:(\d+)"/)
  const called = await run(
    peer('go-client'),
    ['call', `https://127.0.0.1:${port}`, to.workloadId],
    { env: workloadEnv(from.agent) },
  )
  if (called.code !== 0) return false
  expect(called.stdout).toContain(`hello ${from.workloadId}`)
  return await isTokenBelieved(from, to)
}

async function story(kinds: readonly [Kind, Kind], profile: Profile): Promise<void> {
  await using domains = await openTwoDomains(kinds, profile)
  const { left, right } = domains
  const bothCall = async () => (await calls(left, right)) && (await calls(right, left))
  await until('both to call each other', bothCall)

  for (const { server } of [left, right]) await prepare(server)
  await domains.bothKnow()
  for (const { server } of [left, right]) await activate(server)
  await until('both to call each other after the rotation', bothCall)

  await left.server.process()[Symbol.asyncDispose]()
  expect(await bothCall()).toBe(true)
}

describe.concurrent('two trust domains federate', () => {
  const needed: readonly Peer[] = ['spire-server', 'spire-agent', 'go-client', 'openssl']
  const kinds: readonly Kind[] = ['steeple', 'spire']
  for (const profile of ['https_spiffe', 'https_web'] as const) {
    for (const left of kinds) {
      for (const right of kinds) {
        // What two real ones do with each other is not ours to prove.
        if (left === 'spire' && right === 'spire') continue
        interop(`${left} with ${right} by ${profile}`, needed, () => story([left, right], profile))
      }
    }
  }
})
