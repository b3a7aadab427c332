/** `steeple entry apply`: makes the entries of one owner as a file says. A second time there is nothing to do. */
import { IdentityError } from '../../../spiffe/error.ts'
import { defineCommand } from '../../command.ts'
import { boolean } from '../../flag/kinds.ts'
import { quote } from '../../output/go-quote.ts'
import { printJson } from '../../output/print.ts'
import { connectServer } from '../../rpc/endpoint.ts'
import { codeName } from '../../rpc/rpc-error.ts'
import { executePlan, type Failure } from './execute-plan.ts'
import { FILE, FILE_DETAILS, makePlan, planFlags, readDeclaration } from './make-plan.ts'
import { stepsOf } from './plan.ts'
import { planJson, planText } from './plan-text.ts'

export const apply = defineCommand({
  summary: 'Create, change and delete entries until they are as the file says; the plan is printed',
  details: `${FILE_DETAILS}

When somebody else's entry is in the way, nothing at all is done and the exit code is 1, as it is when the server refuses an entry.`,
  examples: [
    'server entry apply entries.yaml',
    'server entry apply entries.yaml -prune -dryRun',
    'server entry apply - < entries.json',
  ],
  flags: { ...planFlags, dryRun: boolean('print the plan and do nothing') },
  words: FILE,
  async run(flags, session, [path = '']) {
    const { terminal } = session
    const declaration = await readDeclaration(path, flags, session)
    using server = connectServer(flags, session)
    const made = await makePlan(server, declaration, flags)
    const isJson = flags.output === 'json'
    if (!isJson) terminal.print(planText(made))
    const { conflicts } = made.plan
    const goesOn = flags.dryRun !== true && conflicts.length === 0
    const failures = goesOn ? await executePlan(server, stepsOf(made.plan)) : []
    if (isJson) {
      const applied = goesOn && failures.length === 0
      printJson(terminal, { ...planJson(made), applied, failures: failures.map(failureJson) })
    } else for (const failure of failures) terminal.complain(failureText(failure))
    if (conflicts.length > 0) {
      const what = `${conflicts.length} of the entries cannot be created beside those of others`
      throw new IdentityError('ALREADY_EXISTS', `${what}; nothing was changed`)
    }
    if (failures.length > 0) {
      throw new IdentityError(
        'REQUEST_INVALID',
        `the server refused what is told above: ${failures.length} in all`,
      )
    }
    return 0
  },
})

function failureText({ kind, id, code, message }: Failure): string {
  return `Failed to ${kind} entry ${id} (code: ${codeName(code)}, msg: ${quote(message)})\n`
}

const failureJson = ({ kind, id, code, message }: Failure) => ({
  step: kind,
  entry_id: id,
  code: codeName(code),
  message,
})
