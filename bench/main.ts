/** `npm run bench [NAME…]`: every benchmark, or those named; `NAME:PART` is a part of one that has parts. Peers that are not installed are left out, by name. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Kind } from '../test/processes/cluster.ts'
import { benchEntryToSvid } from './entry-to-svid.ts'
import { benchHttp1 } from './http1.ts'
import { benchEntries } from './issuing/bench-entries.ts'
import { benchIdle } from './issuing/bench-idle.ts'
import { benchIssuing } from './issuing/bench-issuing.ts'
import { benchStreams } from './issuing/bench-streams.ts'
import { benchPodAttestation } from './pod-attestation.ts'
import { benchPolicy } from './policy.ts'
import { benchProxy } from './proxy/bench-proxy.ts'
import { benchRegistration } from './registration.ts'

const peers = join(process.env.STEEPLE_PEERS ?? join(homedir(), '.cache', 'steeple-peers'), 'bin')
const kinds: readonly Kind[] = existsSync(join(peers, 'spire-server'))
  ? ['steeple', 'spire']
  : ['steeple']
if (kinds.length === 1)
  console.log('SPIRE is not installed (test/interop/peers install identity): no ratio')

const words = process.argv.slice(2).map((word) => word.split(':'))
const wanted = words.map(([name]) => name)
const parts = words.flatMap(([, part]) => part ?? [])

const BENCHES = {
  entries: () => benchEntries(kinds, parts),
  'entry-to-svid': () => benchEntryToSvid(kinds),
  http1: () => benchHttp1(),
  idle: () => benchIdle(kinds),
  issuing: () => benchIssuing(kinds, parts),
  'pod-attestation': () => benchPodAttestation(kinds),
  policy: benchPolicy,
  proxy: () => benchProxy(kinds.at(-1) ?? 'steeple', parts),
  registration: benchRegistration,
  streams: () => benchStreams(kinds, parts),
} as const

for (const [name, bench] of Object.entries(BENCHES)) {
  if (wanted.length === 0 || wanted.includes(name)) await bench()
}
