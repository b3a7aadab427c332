/** `steeple mtls report`: who still calls workloads in plaintext, and what STRICT would break. */
import { IdentityError } from '../../spiffe/error.ts'
import { defineCommand } from '../command.ts'
import { outputFormat } from '../flag/kinds.ts'
import { printJson } from '../output/print.ts'
import { askAll, askProxy, proxyFlags, readProxies } from './ask-proxy.ts'
import {
  breaksSomebody,
  callersForm,
  reportJson,
  reportText,
  workloadReport,
} from './plaintext-report.ts'

const NOBODY = 0
const SOMEBODY = 2

export const report = defineCommand({
  summary: 'Say who still calls workloads in plaintext, and what STRICT would break',
  details: `Proxies remember callers since they started, so ask those that have run for as long as your slowest caller sleeps.

The exit code is 0 when STRICT would refuse nobody who was seen, 2 when it would, and 1 when a proxy does not answer.`,
  examples: [
    'mtls report -proxy unix:/run/steeple/proxy-admin.sock',
    'mtls report -proxy 127.0.0.1:15000 -proxy 127.0.0.1:15001 -output json',
  ],
  flags: { ...proxyFlags, output: outputFormat('form of the output') },
  async run({ proxy, output }, session) {
    const question = { method: 'GET', page: '/plaintext-callers', form: callersForm } as const
    const answers = await askAll(readProxies(proxy), (address) =>
      askProxy(address, question, session),
    )
    const { terminal } = session
    if (output === 'json') printJson(terminal, reportJson(answers))
    const reports = answers.flatMap((one) =>
      one.kind === 'answer' ? [workloadReport(one.proxy, one.answer)] : [],
    )
    const failed = answers.flatMap((one) => (one.kind === 'failed' ? [one.why] : []))
    if (output !== 'json') {
      for (const one of reports) terminal.print(reportText(one))
      for (const why of failed) terminal.complain(`${why}\n`)
    }
    if (failed.length > 0) {
      const what = `${failed.length} of ${answers.length} proxies did not answer`
      throw new IdentityError('UNAVAILABLE', `${what}; what STRICT would break there is not known`)
    }
    return reports.some(breaksSomebody) ? SOMEBODY : NOBODY
  },
})
