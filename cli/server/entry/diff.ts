/** `steeple entry diff`: what `entry apply` would do. Nothing is changed. */
import { IdentityError } from '../../../spiffe/error.ts'
import { defineCommand } from '../../command.ts'
import { printJson } from '../../output/print.ts'
import { connectServer } from '../../rpc/endpoint.ts'
import { FILE, FILE_DETAILS, makePlan, planFlags, readDeclaration } from './make-plan.ts'
import { isDone } from './plan.ts'
import { planJson, planText } from './plan-text.ts'

const SAME = 0
const DIFFERENT = 2

export const diff = defineCommand({
  summary: 'Show what "entry apply" would create, change and delete; nothing is done',
  details: `${FILE_DETAILS}

The exit code is 0 when there is no difference, 2 when there is one, and 1 when something went wrong or somebody else's entry is in the way.`,
  examples: [
    'server entry diff entries.yaml',
    'server entry diff entries.json -prune -output json',
  ],
  flags: planFlags,
  words: FILE,
  async run(flags, session, [path = '']) {
    const { terminal } = session
    const declaration = await readDeclaration(path, flags, session)
    using server = connectServer(flags, session)
    const made = await makePlan(server, declaration, flags)
    if (flags.output === 'json') printJson(terminal, planJson(made))
    else terminal.print(planText(made))
    const { conflicts } = made.plan
    if (conflicts.length > 0) {
      throw new IdentityError(
        'ALREADY_EXISTS',
        `${conflicts.length} of the entries cannot be created beside those of others`,
      )
    }
    return isDone(made.plan) ? SAME : DIFFERENT
  },
})
