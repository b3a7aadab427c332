/** What proxies say of their kill switch, and how it is told. */
import { z } from 'zod'
import { IdentityError } from '../../spiffe/error.ts'
import type { OutputFormat } from '../flag/kinds.ts'
import type { Json } from '../output/go-json.ts'
import { printJson } from '../output/print.ts'
import type { Terminal } from '../terminal.ts'
import type { ProxyAnswer } from './ask-proxy.ts'

const time = z.iso.datetime()

export const killSwitchForm = z.discriminatedUnion('is_on', [
  z.object({ is_on: z.literal(false) }),
  z.object({
    is_on: z.literal(true),
    since: time,
    until: time,
    reason: z.string(),
    by: z.string(),
  }),
])

export type KillSwitch = z.infer<typeof killSwitchForm>

/** @throws IdentityError UNAVAILABLE after everything is told, when a proxy has not answered */
export function tellKillSwitch(
  terminal: Terminal,
  output: OutputFormat | undefined,
  answers: readonly ProxyAnswer<KillSwitch>[],
): void {
  const failed = answers.filter(({ kind }) => kind === 'failed')
  if (output === 'json') printJson(terminal, { proxies: answers.map(answerJson) })
  else {
    for (const one of answers) {
      if (one.kind === 'answer') terminal.print(`${one.proxy}: ${stateText(one.answer)}\n`)
      else terminal.complain(`${one.why}\n`)
    }
  }
  if (failed.length === 0) return
  const what = `${failed.length} of ${answers.length} proxies did not do what was asked`
  throw new IdentityError('UNAVAILABLE', `${what}; what is told of the others holds`)
}

function stateText(state: KillSwitch): string {
  if (!state.is_on) return 'off, policies are in force'
  return `ON until ${state.until}, since ${state.since} by ${state.by}: ${JSON.stringify(state.reason)}`
}

function answerJson(one: ProxyAnswer<KillSwitch>): Json {
  return one.kind === 'answer'
    ? { proxy: one.proxy, ...one.answer }
    : { proxy: one.proxy, failed: one.why }
}
