/** `npm run bench [NAME…]`: every benchmark, or those named. Peers that are not installed are left out, by name. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Kind } from '../test/processes/cluster.ts'
import { benchEntryToSvid } from './entry-to-svid.ts'

const peers = join(process.env.STEEPLE_PEERS ?? join(homedir(), '.cache', 'steeple-peers'), 'bin')
const kinds: readonly Kind[] = existsSync(join(peers, 'spire-server'))
  ? ['steeple', 'spire']
  : ['steeple']
if (kinds.length === 1)
  console.log('SPIRE is not installed (test/interop/peers install identity): no ratio')

const BENCHES = {
  'entry-to-svid': () => benchEntryToSvid(kinds),
} as const

const wanted = process.argv.slice(2)
for (const [name, bench] of Object.entries(BENCHES)) {
  if (wanted.length === 0 || wanted.includes(name)) await bench()
}
