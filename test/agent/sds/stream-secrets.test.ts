/** A process that opened a stream and ended: whoever holds its socket now is given nothing. */
import { expect, test } from 'vitest'
import { streamDelta } from '../../../agent/sds/delta-secrets.ts'
import { DEFAULT_SDS_SETTINGS } from '../../../agent/sds/settings.ts'
import { fetchSecrets, streamSecrets } from '../../../agent/sds/stream-secrets.ts'
import type { DeltaDiscoveryRequest } from '../../../proto/gen/envoy/service/discovery/v3/DeltaDiscoveryRequest.ts'
import type { DiscoveryRequest } from '../../../proto/gen/envoy/service/discovery/v3/DiscoveryRequest.ts'
import { FakeIdentitySource, fakeIdentity } from '../../fakes/identity-source.ts'
import { memoryLog } from '../../fakes/memory-log.ts'
import { exampleBundle } from '../../fakes/workload-endpoint.ts'

const asked = { node: null, type_url: '', response_nonce: '', error_detail: null }
const request: DiscoveryRequest = { ...asked, version_info: '', resource_names: ['default'] }
const more: DeltaDiscoveryRequest = {
  ...{ ...asked, resource_names_subscribe: ['default'], resource_names_unsubscribe: [] },
  initial_resource_versions: {},
}

function open() {
  const source = new FakeIdentitySource(exampleBundle)
  source.set({ identities: [fakeIdentity('spiffe://example.org/web')] })
  const { log, lines } = memoryLog()
  const stop = new AbortController()
  let isAlive = true
  const caller = { kind: 'unix', pid: 1, uid: 1, gid: 1, isAlive: () => isAlive } as const
  const randomBytes = (size: number) => new Uint8Array(size)
  const sent: unknown[] = []
  return {
    ...{ source, sent, stop, lines },
    deps: { source, log, randomBytes, settings: DEFAULT_SDS_SETTINGS },
    workload: { caller, selectors: new Set<never>(), signal: stop.signal },
    send: async (message: unknown) => void sent.push(message),
    die() {
      isAlive = false
    },
    /** One request on a stream that stays open. */
    async *requests<T>(...all: readonly T[]) {
      yield* all
      await new Promise((resolve) => stop.signal.addEventListener('abort', resolve))
    },
  }
}

const ended = {
  code: 'CALLER_UNIDENTIFIED',
  message: 'the process that opened the stream has ended',
}

test('a stream is over with the process that opened it, before the next SVID is sent', async () => {
  for (const follow of [
    ({ deps, workload, requests, send }: ReturnType<typeof open>) =>
      streamSecrets(deps, workload, requests(request), send),
    ({ deps, workload, requests, send }: ReturnType<typeof open>) =>
      streamDelta(deps, workload, requests(more), send),
  ]) {
    const agent = open()
    const over = expect(follow(agent)).rejects.toMatchObject(ended)
    await expect.poll(() => agent.sent.length).toBe(1)
    agent.die()
    agent.source.set({ identities: [] })
    await over
    expect(agent.sent).toHaveLength(1)
    agent.stop.abort()
  }
})

test('refuses a process that ended while it was attested', async () => {
  const { deps, workload, die } = open()
  die()
  await expect(fetchSecrets(deps, workload, request)).rejects.toMatchObject(ended)
})

test('a caller that has gone before there is an answer is no failure of the agent', async () => {
  const { deps, workload, stop } = open()
  stop.abort()
  await expect(fetchSecrets(deps, workload, request)).rejects.toMatchObject({ code: 'CANCELED' })
})

test('a proxy that refuses one answer again and again fills no log, with however long a nonce', async () => {
  const details = { code: 3, message: 'x'.repeat(5_000), details: [] }
  const refusing = Array.from({ length: 50 }, () => ({
    ...{ ...more, error_detail: details },
    resource_names_subscribe: [],
  }))
  const nonce = '0'.repeat(200_000)
  const deltas = refusing.map((one) => ({ ...one, response_nonce: nonce }))
  const refusals = (lines: ReturnType<typeof open>['lines']) =>
    lines.filter(({ msg }) => msg.startsWith('A proxy refused'))
  async function* saying<T>(...all: readonly T[]) {
    yield* all
  }
  const first = open()
  await streamDelta(first.deps, first.workload, saying(more, ...deltas), first.send)
  expect(refusals(first.lines)).toHaveLength(1)
  expect(JSON.stringify(first.lines).length).toBeLessThan(20_000)

  const second = open()
  const again = Array.from({ length: 50 }, () => {
    return { ...request, response_nonce: '00000000', version_info: '1', error_detail: details }
  })
  await streamSecrets(second.deps, second.workload, saying(request, ...again), second.send)
  expect(refusals(second.lines)).toHaveLength(1)
})

test('refuses a type that is longer than any', async () => {
  const { deps, workload, requests, send } = open()
  const type_url = 'x'.repeat(100_000)
  const refused = { code: 'REQUEST_INVALID' }
  const world = streamSecrets(deps, workload, requests({ ...request, type_url }), send)
  await expect(world).rejects.toMatchObject(refused)
  const delta = streamDelta(deps, workload, requests({ ...more, type_url }), send)
  await expect(delta).rejects.toMatchObject(refused)
  await expect(fetchSecrets(deps, workload, { ...request, type_url })).rejects.toMatchObject(
    refused,
  )
})
