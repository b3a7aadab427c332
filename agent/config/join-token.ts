/** The token that an agent attests with, from the configuration or from a file of its own. */
import { type Context, placeOf, type Unsure } from '../../config/check.ts'
import { addMistake, addRefusal } from '../../config/mistake.ts'

interface JoinTokenKeys {
  readonly join_token: string | undefined
  readonly join_token_file: string | undefined
}

type Written = Unsure<JoinTokenKeys> & Parameters<typeof placeOf>[0]

/** The token never appears in a message. */
export function readJoinToken(read: Written, context: Context): string | undefined {
  const { join_token: token, join_token_file: path } = read
  if (path === undefined) return token
  const place = placeOf(read, 'join_token_file')
  if (token !== undefined) {
    const message = 'agent.join_token and agent.join_token_file exclude each other'
    addMistake(context.report, place, message, 'one of them')
    return undefined
  }
  try {
    const content = context.readText(path).trim()
    if (content !== '') return content
    addMistake(context.report, place, 'agent.join_token_file names an empty file', 'a token in it')
  } catch (error) {
    addRefusal(context.report, place, 'agent.join_token_file', error)
  }
  return undefined
}
