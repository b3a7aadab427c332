/** The fuzzer itself: it finds what is planted behind several branches, makes it short, and survives what never returns. */
import { join } from 'node:path'
import { execPath } from 'node:process'
import { expect, test } from 'vitest'
import { seeded } from '../fakes/seeded.ts'
import { run } from '../processes/process.ts'
import { readCorpus } from './corpus.ts'
import { fuzz } from './fuzz-loop.ts'
import { minimise } from './minimise.ts'
import { mutate } from './mutate.ts'
import { answerOf, broken, type FuzzTarget, mustEqual, readByOther } from './target.ts'
import { findTarget, listTargets } from './targets.ts'

const bare = { oracle: '', seeds: [], dictionary: [], maxBytes: 64, share: 1 }
const options = (inputs: number) => ({
  ...{ random: seeded(7), seeds: [], onInput: () => {} },
  progress: (done: number) => done / inputs,
})

test('what breaks an oracle is found, and made as short as it will go', async () => {
  const target: FuzzTarget = {
    ...{ ...bare, name: 'planted', seeds: [Buffer.from('hello world')] },
    run(input) {
      if (input.includes('w') && input.includes('o')) throw broken('planted')
    },
  }
  const { finds } = await fuzz(target, options(100))
  expect(finds.map(({ input }) => input.length)).toEqual([2])
  expect(finds[0]?.detail).toContain('planted')
})

test('inputs that reach new code of ours are kept, and lead further in', async () => {
  const { code, stdout, stderr } = await run(execPath, [join(import.meta.dirname, 'run-guided.ts')])
  expect(code, stderr).toBe(0)
  const led = JSON.parse(stdout)
  expect(led).toMatchObject({ finds: 0, reached: ['header', 'malformed', 'more', 'none'] })
  expect(led.corpus).toBeGreaterThan(3)
})

test('the same seed makes the same inputs, none longer than it may be', () => {
  const material = (seed: number) => ({
    ...{ random: seeded(seed), maxBytes: 40 },
    ...{ corpus: [Buffer.from('abc'), Buffer.from('0123456789')], dictionary: [Buffer.from('{}')] },
  })
  const made = (seed: number) => {
    const from = material(seed)
    return Array.from({ length: 500 }, () => mutate(Buffer.from('start 42'), from).toString('hex'))
  }
  expect(made(1)).toEqual(made(1))
  expect(made(1)).not.toEqual(made(2))
  expect(Math.max(...made(1).map((hex) => hex.length / 2))).toBeLessThanOrEqual(40)
})

test('an input is made short only while it fails in the same way', async () => {
  const short = await minimise(Buffer.from('xxaxxbxx'), async (one) => /a.*b/.test(one.toString()))
  expect(short.toString()).toBe('ab')
})

test('an oracle tells a refusal from a mistake', () => {
  expect(() => answerOf(() => JSON.parse('{'))).toThrow(SyntaxError)
  expect(readByOther(() => JSON.parse('{'))).toBeUndefined()
  expect(() => mustEqual('bytes', Buffer.from('a'), new Uint8Array([98]))).toThrow('oracle: bytes')
  expect(() => mustEqual('bytes', Buffer.from('a'), new Uint8Array([97]))).not.toThrow()
})

const known = await listTargets()

test('every target has a name and an oracle of its own', async () => {
  expect(new Set(known.map(({ name }) => name)).size).toBe(known.length)
  expect(known.filter(({ oracle }) => oracle === '')).toEqual([])
  await expect(findTarget('nobody')).rejects.toThrow('no target')
})

/** One of them needs a whole server, and is run by `npm run fuzz` alone. */
const NEEDS_A_SERVER = 'rpc-handlers'

test.for(known.map(({ name }) => name).filter((name) => name !== NEEDS_A_SERVER))(
  'what was once found stays mended, and what reached new code is read as it should be: %s',
  async (name) => {
    const target = await findTarget(name)
    for (const input of [...target.seeds, ...readCorpus(name)]) {
      try {
        await target.run(Buffer.from(input.subarray(0, target.maxBytes)))
      } catch (error) {
        expect(error, Buffer.from(input).toString('latin1')).toMatchObject({
          name: 'IdentityError',
        })
      }
    }
  },
)
