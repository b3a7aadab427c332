/** `steeple mtls kill-switch on | off | status`: for a stated time, policies of the named proxies are out of force. */
import { formatDuration } from '../../config/duration.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { defineCommand } from '../command.ts'
import { duration, outputFormat, required, text } from '../flag/kinds.ts'
import { askAll, askProxy, proxyFlags, readProxies } from './ask-proxy.ts'
import { killSwitchForm, tellKillSwitch } from './kill-switch-state.ts'

const PAGE = '/kill-switch'
const output = outputFormat('form of the output')
const EXIT_CODES = 'The exit code is 0 when every proxy did what was asked, else 1.'

export const killSwitchOn = defineCommand({
  summary: 'Let proxies take plaintext and everybody, for a stated time and reason',
  details: `Every listener becomes PERMISSIVE and no AuthorizationPolicy is in force until the time is over, the switch is off, or the proxy ends. Tokens are checked all the while. Each proxy audits who threw it and why. It can be thrown over Unix sockets alone.

${EXIT_CODES}`,
  examples: [
    'mtls kill-switch on -for 15m -reason "incident 4711: roll-out of policies" -proxy unix:/run/steeple/proxy-admin.sock',
  ],
  flags: {
    ...proxyFlags,
    for: required(duration('how long, such as 15m; at most 24h')),
    reason: required(text('why, for the audit')),
    output,
  },
  async run(flags, session) {
    const proxies = readProxies(flags.proxy)
    if (flags.for <= 0) {
      throw new IdentityError(
        'REQUEST_INVALID',
        'how long it is to be on (-for) must be set, such as 15m',
      )
    }
    if (flags.reason.trim() === '') {
      throw new IdentityError('REQUEST_INVALID', 'the reason (-reason) must be set: it is audited')
    }
    const body = { for: formatDuration(flags.for), reason: flags.reason }
    const question = { method: 'POST', page: PAGE, body, form: killSwitchForm } as const
    const answers = await askAll(proxies, (address) => askProxy(address, question, session))
    tellKillSwitch(session.terminal, flags.output, answers)
    return 0
  },
})

export const killSwitchOff = defineCommand({
  summary: 'Put the policies of proxies in force again at once',
  details: EXIT_CODES,
  examples: ['mtls kill-switch off -proxy unix:/run/steeple/proxy-admin.sock'],
  flags: { ...proxyFlags, output },
  async run(flags, session) {
    const question = { method: 'DELETE', page: PAGE, form: killSwitchForm } as const
    const answers = await askAll(readProxies(flags.proxy), (address) =>
      askProxy(address, question, session),
    )
    tellKillSwitch(session.terminal, flags.output, answers)
    return 0
  },
})

export const killSwitchStatus = defineCommand({
  summary: 'Say of proxies whether their policies are in force',
  details: EXIT_CODES,
  examples: ['mtls kill-switch status -proxy unix:/run/steeple/proxy-admin.sock -output json'],
  flags: { ...proxyFlags, output },
  async run(flags, session) {
    const question = { method: 'GET', page: PAGE, form: killSwitchForm } as const
    const answers = await askAll(readProxies(flags.proxy), (address) =>
      askProxy(address, question, session),
    )
    tellKillSwitch(session.terminal, flags.output, answers)
    return 0
  },
})
