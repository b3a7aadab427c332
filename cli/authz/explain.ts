/** `steeple authz explain`: whether a request would pass, and the walk through the policies that says why. */
import { readPolicies } from '../../proxy/policy-source/read-policies.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { defineCommand } from '../command.ts'
import { list, outputFormat } from '../flag/kinds.ts'
import { printJson } from '../output/print.ts'
import { answer } from './answer.ts'
import { answerJson } from './answer-json.ts'
import { answerText, decisionOf } from './answer-text.ts'
import { meshFlags, readMesh } from './mesh-flags.ts'
import { readPolicyFiles } from './policy-files.ts'
import { questionFlags, readQuestion } from './question.ts'

const ALLOWED = 0
const DENIED = 2

export const explain = defineCommand({
  summary: 'Say whether a request would pass, and which policy, rule and clause decides',
  details: `Nothing running is asked: the policies are those of -policies, or of the policy_dir of -config.

The exit code is 0 when the request passes, 2 when it does not, and 1 when something cannot be read.`,
  examples: [
    'authz explain -policies policies/ -namespace shop -label app=cart -port 8080 -from spiffe://cluster.local/ns/web/sa/front -path /basket',
    'authz explain -config /etc/steeple/proxy.conf -request request.json -output json',
  ],
  flags: {
    ...meshFlags,
    ...questionFlags,
    policies: {
      ...list('file or directory of policies, or - for standard input'),
      choices: 'files',
    },
    output: outputFormat('form of the output'),
  },
  async run(flags, { terminal }) {
    const judged = readMesh(flags, terminal)
    const { mesh, config } = judged
    const paths = flags.policies.length > 0 ? flags.policies : [config?.policyDir ?? '']
    if (paths.includes('')) {
      const todo = 'name them by -policies, or a -config with a policy_dir'
      throw new IdentityError('REQUEST_INVALID', `there are no policies to judge by; ${todo}`)
    }
    const question = await readQuestion(flags, judged, terminal)
    const { snapshot, warnings } = readPolicies(await readPolicyFiles(paths, terminal), mesh)
    for (const warning of warnings) terminal.complain(`Warning: ${warning}\n`)
    const told = answer(question, snapshot)
    if (flags.output === 'json') printJson(terminal, answerJson(question, told))
    else terminal.print(answerText(question, told))
    return decisionOf(told) === 'allow' ? ALLOWED : DENIED
  },
})
