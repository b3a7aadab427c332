/**
 * `npm run bench [NAME…]`: every benchmark, or those named; `NAME:PART` is a part of one that has parts. Peers that are not installed
 * are left out, by name. What is measured is the built package, unless STEEPLE names another command. With `--print` no table
 * of a document changes.
 */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Kind } from '../test/processes/cluster.ts'
import { buildPackage } from './built-package.ts'
import { onlyPrint } from './marked-tables.ts'

const peers = join(process.env.STEEPLE_PEERS ?? join(homedir(), '.cache', 'steeple-peers'), 'bin')
const kinds: readonly Kind[] = existsSync(join(peers, 'spire-server'))
  ? ['steeple', 'spire']
  : ['steeple']
if (kinds.length === 1)
  console.log('SPIRE is not installed (test/interop/peers install identity): no ratio')

const PRINT = '--print'
const options = process.argv.slice(2)
const words = options.filter((word) => word !== PRINT).map((word) => word.split(':'))
const wanted = words.map(([name]) => name)
const partsOf = (name: string) =>
  words.flatMap(([of, part]) => (of === name && part !== undefined ? [part] : []))

using built = process.env.STEEPLE === undefined ? buildPackage() : undefined
// Whoever starts our processes reads it, so it is set before any benchmark is loaded.
if (built !== undefined) process.env.STEEPLE = built.command

const BENCHES = {
  entries: async () =>
    (await import('./issuing/bench-entries.ts')).benchEntries(kinds, partsOf('entries')),
  'entry-to-svid': async () => (await import('./entry-to-svid.ts')).benchEntryToSvid(kinds),
  http1: async () => (await import('./http1.ts')).benchHttp1(),
  idle: async () => (await import('./issuing/bench-idle.ts')).benchIdle(kinds),
  issuing: async () =>
    (await import('./issuing/bench-issuing.ts')).benchIssuing(kinds, partsOf('issuing')),
  'pod-attestation': async () => (await import('./pod-attestation.ts')).benchPodAttestation(kinds),
  policy: async () => (await import('./policy.ts')).benchPolicy(),
  proxy: async () =>
    (await import('./proxy/bench-proxy.ts')).benchProxy(
      kinds.at(-1) ?? 'steeple',
      partsOf('proxy'),
    ),
  registration: async () => (await import('./registration.ts')).benchRegistration(),
  scaling: async () =>
    (await import('./scaling/bench-scaling.ts')).benchScaling(partsOf('scaling')),
  'several-servers': async () => (await import('./several-servers.ts')).benchSeveralServers(kinds),
  streams: async () =>
    (await import('./issuing/bench-streams.ts')).benchStreams(kinds, partsOf('streams')),
} as const

if (options.includes(PRINT)) onlyPrint()
for (const [name, bench] of Object.entries(BENCHES)) {
  if (wanted.length === 0 || wanted.includes(name)) await bench()
}
