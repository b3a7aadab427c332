/**
 * `node test/soak/storm.ts [seconds] [workloads]`: the rotation storm, ten minutes and 500 workloads unless told otherwise.
 * Ends with 1 when a handshake failed, an expired SVID was handed out or nothing rotated. Needs root, and spire-agent of
 * the peers for its third node.
 */
import { existsSync } from 'node:fs'
import { peer } from '../interop/interop.ts'
import { runStorm } from './storm/run-storm.ts'

const [seconds = 600, workloads = 500] = process.argv.slice(2).map(Number)
const report = await runStorm({
  ...{ seconds, workloads, callEveryMs: 5_000 },
  nodes: existsSync(peer('spire-agent')) ? ['steeple', 'steeple', 'spire'] : ['steeple', 'steeple'],
})
process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`)
const { failures, expired, broken, trouble, signers } = report
const isGood = failures + expired + broken.length + trouble.length === 0 && signers.length > 1
process.exitCode = isGood ? 0 : 1
