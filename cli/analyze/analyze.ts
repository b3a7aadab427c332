/** `steeple analyze`: what in policies is refused, matches nothing, or leaves a hole. */
import { IdentityError } from '../../spiffe/error.ts'
import { meshFlags, readMesh } from '../authz/mesh-flags.ts'
import { readPolicyFiles } from '../authz/policy-files.ts'
import { defineCommand } from '../command.ts'
import { choice, outputFormat } from '../flag/kinds.ts'
import { printJson } from '../output/print.ts'
import { analyzeTexts, countOf, reportJson, reportText } from './report.ts'

const FINE = 0
const FOUND = 2
const LEVELS = ['error', 'warning', 'info', 'never'] as const

export const analyze = defineCommand({
  summary: 'Find what in policies looks right and matches nothing, or leaves a hole',
  details: `Reads files, directories of .yaml, .yml and .json, or - for standard input. Workloads and Services among them (Deployment, StatefulSet, DaemonSet, Pod, Service …) are what selectors and ports are checked by, and so is the workload of -config.

The exit code is 0 when there is nothing as grave as -failOn, 2 when there is, and 1 when something cannot be read.`,
  examples: [
    'analyze /etc/steeple/policies',
    'analyze policies/ deploy/ -trustDomain example.org -failOn warning',
    'analyze policies/ -config /etc/steeple/proxy.conf -output json',
  ],
  flags: {
    ...meshFlags,
    failOn: choice('what makes the exit code 2', LEVELS, 'error'),
    output: outputFormat('form of the output'),
  },
  words: { usage: '<path>…', count: 'some', choices: 'files' },
  async run(flags, { terminal }, paths) {
    const level = LEVELS.find((name) => name === flags.failOn)
    if (level === undefined) {
      const seen = JSON.stringify(flags.failOn)
      throw new IdentityError(
        'REQUEST_INVALID',
        `-failOn is ${seen}, expected ${LEVELS.join(', ')}`,
      )
    }
    const { mesh, config, isTrustDomainGuessed } = readMesh(flags, terminal)
    if (isTrustDomainGuessed) {
      const what = `${flags.config} leaves the trust domain to the proxy's SVID`
      const guess = `policies are read as those of ${mesh.trustDomain}; name it by -trustDomain`
      terminal.complain(`Warning: ${what}: ${guess}\n`)
    }
    const report = analyzeTexts(await readPolicyFiles(paths, terminal), mesh, config)
    if (flags.output === 'json') printJson(terminal, reportJson(report))
    else terminal.print(reportText(report))
    const grave = LEVELS.slice(0, LEVELS.indexOf(level) + 1)
    const isFound = grave.some(
      (one) => one !== 'never' && level !== 'never' && countOf(report, one) > 0,
    )
    return isFound ? FOUND : FINE
  },
})
