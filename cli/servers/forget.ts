/** `steeple servers forget`: takes a server that is gone for good out of the list, with its journal. */
import { IdentityError } from '../../spiffe/error.ts'
import { serverCalls } from '../authority/server-calls.ts'
import { defineCommand } from '../command.ts'
import { required, text } from '../flag/kinds.ts'
import { printJson } from '../output/print.ts'
import { connectServer } from '../rpc/endpoint.ts'
import { operatorFlags } from '../server/flags.ts'

export const forgetServer = defineCommand({
  summary: 'Forget a server that is gone for good, once its authorities are out of the bundle',
  details:
    'Take its authorities out of the bundle first: steeple authority rotate x509 -yes -without KEY, and the same with jwt; each forgets the server when nothing of it is left.',
  examples: ['servers forget -key 0d2b5c51-7a5e-4d5c-9a5e-3f5b1a0f6e21'],
  flags: { ...operatorFlags, key: required(text('key of the server, as `servers list` shows it')) },
  async run({ output, key, ...socket }, session) {
    if (key === '') throw new IdentityError('REQUEST_INVALID', 'a server key is required: -key')
    using server = connectServer(socket, session)
    await serverCalls(server).forget(key)
    if (output === 'json') printJson(session.terminal, { event: 'forgot', server_key: key })
    else session.terminal.print(`Forgot server ${key}\n`)
    return 0
  },
})
