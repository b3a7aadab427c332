/**
 * `npm run fuzz`: every target in turn, by number of inputs or by time, and a table of what was reached.
 * `--inputs N` or `--seconds N` for all together (60 seconds if neither is given), `--target NAME` for some (may be
 * repeated), `--seed N` to repeat a run, `--grow` to keep what reached new code. A find is kept in its corpus and ends the run with 1.
 */
import { parseArgs } from 'node:util'
import { growCorpus, keepFind } from './corpus.ts'
import { MAX_GROWN_BYTES, type Outcome } from './fuzz-loop.ts'
import { runTargets } from './supervise.ts'
import { groupOf, listTargets } from './targets.ts'

const DEFAULT_SECONDS = 60
const SEEDS = 2 ** 32
const NO_BOUND = Number.MAX_SAFE_INTEGER

const print = (line: string) => process.stdout.write(`${line}\n`)

const { values } = parseArgs({
  options: {
    inputs: { type: 'string' },
    seconds: { type: 'string' },
    target: { type: 'string', multiple: true },
    seed: { type: 'string' },
    grow: { type: 'boolean' },
  },
})

function numberOf(name: 'inputs' | 'seconds' | 'seed'): number | undefined {
  const text = values[name]
  if (text === undefined) return undefined
  const number = Number(text)
  if (Number.isSafeInteger(number) && number >= 0) return number
  throw new Error(`--${name} is ${JSON.stringify(text)}, expected a whole number`)
}

const inputs = numberOf('inputs')
const seconds = numberOf('seconds') ?? (inputs === undefined ? DEFAULT_SECONDS : NO_BOUND)
const seed = numberOf('seed') ?? (process.pid * 65_599) % SEEDS

const known = await listTargets()
const wanted = known.filter(({ name }) => values.target?.includes(name) ?? true)
const missing = values.target?.filter((name) => !known.some((one) => one.name === name)) ?? []
if (missing.length > 0) {
  const names = known.map(({ name }) => name).join(', ')
  throw new Error(`no target ${missing.join(', ')}; there are ${names}`)
}
const shares = wanted.reduce((sum, { share }) => sum + share, 0)

print(`seed ${seed}`)
print('target                      inputs  /second  corpus  reached  grown   finds')
let isGood = true
let total = 0
for (const group of new Set(wanted.map(({ name }) => groupOf(name)))) {
  const runs = wanted
    .filter(({ name }) => groupOf(name) === group)
    .map(({ name, share }) => ({
      target: name,
      inputs: inputs === undefined ? NO_BOUND : Math.ceil((inputs * share) / shares),
      seconds: seconds / wanted.length,
    }))
  await runTargets(runs, seed, ({ target }, outcome) => {
    report(target, outcome)
    total += outcome.inputs
    if (values.grow === true) growCorpus(target, outcome.corpus)
  })
}
print(`${total} inputs`)
process.exitCode = isGood ? 0 : 1

function report(name: string, outcome: Outcome): void {
  const { finds, grownBytes } = outcome
  const columns = [
    name.padEnd(24),
    String(outcome.inputs).padStart(9),
    String(Math.round(outcome.inputs / Math.max(outcome.seconds, 0.001))).padStart(8),
    String(outcome.corpus.length).padStart(7),
    String(outcome.reached).padStart(8),
    `${Math.round(grownBytes / 1024)} KiB`.padStart(10),
    String(finds.length).padStart(4),
  ]
  print(columns.join(' '))
  for (const { input, signature, detail } of finds) {
    print(`  ${signature}\n  input ${JSON.stringify(input.toString('latin1'))}\n${detail}`)
    keepFind(name, input)
  }
  if (grownBytes > MAX_GROWN_BYTES) print(`  ${name} keeps what it reads: memory grows`)
  if (finds.length > 0 || grownBytes > MAX_GROWN_BYTES) isGood = false
}
