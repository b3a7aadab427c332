/** `steeple server federation refresh`: has the server fetch the bundle of another trust domain now. */
import { trustDomainApi } from '../../../proto/load.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { defineCommand } from '../../command.ts'
import { required, text } from '../../flag/kinds.ts'
import { quote } from '../../output/go-quote.ts'
import { printJson } from '../../output/print.ts'
import { attempting, connectServer } from '../../rpc/endpoint.ts'
import { operatorFlags } from '../flags.ts'

export const refresh = defineCommand({
  summary: 'Have the server fetch the bundle of a federated trust domain now',
  examples: ['server federation refresh -id partner.org'],
  flags: { ...operatorFlags, id: required(text('trust domain, or any SPIFFE ID in it')) },
  async run({ id, output, ...socket }, session) {
    if (id === '') throw new IdentityError('REQUEST_INVALID', 'id is required')
    using server = connectServer(socket, session)
    const client = server.client(trustDomainApi())
    const call = server.call((options, done) =>
      client.RefreshBundle({ trust_domain: id }, options, done),
    )
    try {
      await attempting('failed to refresh bundle', call)
    } catch (error) {
      if (!(error instanceof IdentityError) || !error.message.includes(NOT_FOUND)) throw error
      const what = `there is no federation relationship with trust domain ${quote(id)}`
      throw new IdentityError(error.code, what, { cause: error })
    }
    if (output === 'json') printJson(session.terminal, { code: 0, message: 'OK' })
    else session.terminal.print('Bundle refreshed\n')
    return 0
  },
})

const NOT_FOUND = 'rpc error: code = NotFound '
