/**
 * What Cilium's operator and agents ask of SPIRE, asked of ours and of a real pair: the operator registers identities with its own
 * SVID at the server's port, in batches, and an agent of Cilium follows all of them on one stream of the Delegated Identity API.
 */
import { expect } from 'vitest'
import type { Kind } from '../processes/cluster.ts'
import { until } from '../processes/process.ts'
import { inBatches, type Operator, SELECTORS, startCilium } from './cilium/world.ts'
import { interop } from './interop.ts'

const NEEDS = ['spire-server', 'spire-agent'] as const

interface Size {
  readonly identities: number
  readonly changes: number
}

/** What the agent of Cilium saw, for the other pair to be compared with. */
interface Story {
  readonly codes: readonly string[]
  readonly paths: readonly string[]
  readonly shape: unknown
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at)
const pathOf = (number: number) => `/identity/${number}`

/** Codes by their number; a batch says each once, in order. */
async function codesOf(operator: Operator, numbers: readonly number[]): Promise<readonly string[]> {
  const distinct = (codes: readonly number[]) => [...new Set(codes)].join(' ')
  return [
    `created again ${distinct(await operator.create(numbers.slice(0, 3)))}`,
    `updated ${distinct(await operator.update(numbers.slice(0, 3)))}`,
    `updated, absent ${distinct(await operator.updateAbsent())}`,
    `deleted, absent ${distinct(await operator.deleteAbsent())}`,
    `listed exactly ${(await operator.find(numbers[0] ?? 0)).length}`,
    `listed by another selector ${(await operator.findOther(numbers[0] ?? 0)).length}`,
    `listed, absent ${(await operator.find(4_000_000)).length}`,
  ]
}

async function story(kind: Kind, { identities, changes }: Size): Promise<Story> {
  await using cilium = await startCilium(kind)
  const refusal = await cilium.refusalOfDelegate()
  expect(refusal).toMatch(/^no identity issued/)
  if (kind === 'steeple') {
    expect(refusal).toMatch(/lacks|create one|no registration entries/)
  }
  await using operator = await cilium.operator()
  const all = range(1, identities + 1)
  const began = performance.now()
  for (const batch of inBatches(all)) {
    expect(new Set(await operator.create(batch))).toEqual(new Set([0]))
  }
  const registered = performance.now()
  expect((await operator.listAll()).toSorted()).toEqual(all.map(pathOf).toSorted())
  using stream = await cilium.follow()
  const asked = performance.now()
  await until('the first whole set', async () => stream.last().length === identities)
  const first = performance.now()
  const codes = await codesOf(operator, all)
  const before = { ...cilium.usage(), messages: stream.count() }
  const changing = performance.now()
  const half = changes / 2
  const added = range(identities + 1, identities + 1 + half)
  for (const [at, number] of added.entries()) {
    expect(await operator.create([number])).toEqual([0])
    expect(await operator.delete([all[at] ?? 0])).toEqual([0])
  }
  const expected = [...all.slice(half), ...added].map(pathOf).toSorted()
  await until('the last set', async () => stream.last().toSorted().join() === expected.join())
  const over = performance.now()
  const after = { ...cilium.usage(), messages: stream.count() }
  stream.requireWhole()
  process.stderr.write(
    `${kind}: ${identities} registered in ${ms(began, registered)}, first whole set ${ms(asked, first)} after the stream was asked for; ` +
      `${changes} changes in ${ms(changing, over)}: ${((over - changing) / changes).toFixed(1)} ms each, ` +
      `${after.messages - before.messages} messages, ${(after.cpuMs - before.cpuMs).toFixed(0)} ms of the agent's CPU; ` +
      `agent RSS ${after.rssMb.toFixed(0)} MB, largest message ${(stream.largestBytes() / 1e6).toFixed(1)} MB\n`,
  )
  const [bundle] = await cilium.bundles()
  expect(bundle?.[0]).toBe('spiffe://spiffe.cilium')
  expect(bundle?.[1]).toBeGreaterThan(100)
  return { codes, paths: stream.last().toSorted(), shape: stream.shape() }
}

const ms = (from: number, to: number) => `${(to - from).toFixed(0)} ms`

interop('5,000 identities on one stream, and 500 changes while it is open', [], async () => {
  await story('steeple', { identities: 5_000, changes: 500 })
})

interop('our pair and a real one are the same to Cilium', NEEDS, async () => {
  const size = { identities: 600, changes: 40 }
  const ours = await story('steeple', size)
  expect(ours).toEqual(await story('spire', size))
  expect(SELECTORS).toHaveLength(1)
})
