/** `node test/soak/proxy.ts [seconds]`: the soak of the proxy in its long form, a minute unless told otherwise. */
import { soakProxy } from './zz-soak-proxy.ts'

const seconds = Number(process.argv[2] ?? 60)
const report = await soakProxy({ seconds, shortConnections: 10_000, clients: 16 })
process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`)
const isGood =
  report.failed.length + report.passed.length + report.errors.length + report.left === 0 &&
  report.isRapidResetEnded
process.exitCode = isGood ? 0 : 1
