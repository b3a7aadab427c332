/** Statuses: written when they say something new, and never in a circle with whoever drops parts of them. */
import { describe, expect, test } from 'vitest'
import type { Cluster, ClusterRequest } from '../../../kubernetes/cluster.ts'
import { readMeta, recordAt } from '../../../kubernetes/object.ts'
import { refusal } from '../../../kubernetes/status.ts'
import type { CustomResource } from '../../../server/controller/custom-resource.ts'
import type { WantedStatus } from '../../../server/controller/tally.ts'
import { createStatusWriter } from '../../../server/controller/write-statuses.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { memoryLog } from '../../fakes/memory-log.ts'

const never = new AbortController().signal

/** @param dropsConditions as upstream's CRDs, whose schema has none */
function createApi(dropsConditions = false) {
  const written: ClusterRequest[] = []
  let status: Readonly<Record<string, unknown>> = {}
  let refusedWith = 0
  const cluster: Cluster = {
    server: 'https://api.test',
    async request(request) {
      written.push(request)
      if (refusedWith !== 0) throw refusal('a patch', refusedWith, '{}')
      const { conditions, ...fields } = recordAt(request.body, 'status')
      status = { ...status, ...fields, ...(dropsConditions ? {} : { conditions }) }
      return undefined
    },
    watch: () => Promise.reject(new Error('nobody watches')),
    [Symbol.dispose]() {},
  }
  const resource = (generation = 1): CustomResource<unknown> => {
    const meta = readMeta({ metadata: { name: 'all', uid: 'u', resourceVersion: '1', generation } })
    if (meta === undefined) throw new Error('it has no name')
    const source = { uid: 'u', createdAt: undefined, deletedAt: undefined }
    return { meta, source, spec: { kind: 'readable', value: 1 }, status }
  }
  const clock = new FakeClock()
  const writer = createStatusWriter({ cluster, clock, log: memoryLog().log, mustLead: () => {} })
  return {
    ...{ written, clock },
    refuse: (code: number) => {
      refusedWith = code
    },
    reset: (next: Readonly<Record<string, unknown>>) => {
      status = next
    },
    write: (wanted: WantedStatus, generation = 1) =>
      writer.write([{ plural: 'clusterspiffeids', resource: resource(generation), wanted }], never),
    current: () => status,
  }
}

const wanted = (podsSelected: number, problem = ''): WantedStatus => ({
  fields: { stats: { podsSelected, entryFailures: 0 } },
  conditions: [
    {
      type: 'Programmed',
      ...{ status: problem === '' ? 'True' : 'False', reason: 'R', message: problem },
    },
  ],
})

describe('a status', () => {
  test('is written once, by the name and the UID of its object', async () => {
    const { written, write } = createApi()
    await write(wanted(1))
    await write(wanted(1))
    expect(written).toHaveLength(1)
    expect(written[0]).toMatchObject({
      ...{ method: 'PATCH', path: '/apis/spire.spiffe.io/v1alpha1/clusterspiffeids/all/status' },
      body: { metadata: { uid: 'u' }, status: { stats: { podsSelected: 1, entryFailures: 0 } } },
    })
  })
  test('is written again when a counter, a reason or the spec has changed', async () => {
    const { written, write } = createApi()
    await write(wanted(1))
    await write(wanted(2))
    await write(wanted(2, 'why'))
    await write(wanted(2, 'why'), 2)
    expect(written).toHaveLength(4)
  })
  test('is written again when somebody else changed its counters', async () => {
    const { written, write, reset } = createApi()
    await write(wanted(1))
    reset({ stats: { podsSelected: 7 } })
    await write(wanted(1))
    expect(written).toHaveLength(2)
  })
  test('is written once where the CRD has no conditions', async () => {
    const { written, write } = createApi(true)
    for (let round = 0; round < 5; round += 1) await write(wanted(1, 'why'))
    expect(written).toHaveLength(1)
  })
  test('keeps the time at which a condition turned', async () => {
    const { write, clock, current } = createApi()
    await write(wanted(1))
    clock.advance(60_000)
    await write(wanted(2))
    expect(current().conditions).toMatchObject([{ lastTransitionTime: '2026-01-01T00:00:00Z' }])
    await write(wanted(2, 'why'))
    expect(current().conditions).toMatchObject([{ lastTransitionTime: '2026-01-01T00:01:00Z' }])
  })
  test('that could not be written is counted, and tried again', async () => {
    const { write, refuse, written } = createApi()
    refuse(403)
    expect(await write(wanted(1))).toBe(1)
    refuse(0)
    expect(await write(wanted(1))).toBe(0)
    expect(written).toHaveLength(2)
  })
  test.for([404, 409])('of an object that is gone (%i) is let go', async (code) => {
    const { write, refuse } = createApi()
    refuse(code)
    expect(await write(wanted(1))).toBe(0)
  })
})
