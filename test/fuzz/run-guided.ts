/**
 * A program for a test: fuzzes the reader of PROXY headers from one seed and prints what that led to. In a process of its
 * own, because V8 counts only in part what ran before the counting began, and files of unit tests share a process.
 */
import { parseProxyHeader } from '../../server/listen/proxy-protocol.ts'
import { seeded } from '../fakes/seeded.ts'
import { fuzz } from './fuzz-loop.ts'

const INPUTS = 20_000

const reached = new Set<string>()
const { corpus, finds } = await fuzz(
  {
    ...{ name: 'guided', oracle: '', dictionary: [], maxBytes: 64, share: 1 },
    seeds: [Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n')],
    run(input) {
      reached.add(parseProxyHeader(input).kind)
    },
  },
  {
    ...{ random: seeded(7), seeds: [], onInput: () => {} },
    progress: (done) => done / INPUTS,
  },
)
const led = { corpus: corpus.length, finds: finds.length, reached: [...reached].toSorted() }
process.stdout.write(JSON.stringify(led))
