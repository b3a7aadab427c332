/** `steeple agent api watch`: prints the X.509-SVIDs of whoever runs it, now and whenever they change. */
import type { ClientReadableStream } from '@grpc/grpc-js'
import type { X509SVIDResponse } from '../../../proto/gen/X509SVIDResponse.ts'
import { workloadApi } from '../../../proto/load.ts'
import { IdentityError, reasonOf } from '../../../spiffe/error.ts'
import { defineCommand, type Session } from '../../command.ts'
import { svidsText } from '../../output/svid-text.ts'
import { connectAgent, type Endpoint } from '../../rpc/endpoint.ts'
import { agentSocketFlags } from '../../rpc/socket-path.ts'
import { readX509Answer } from './read-x509.ts'
import { messagesOf, securityHeader } from './workload-call.ts'

const FIRST_RETRY_MS = 1_000
const MAX_RETRY_MS = 30_000

export const watch = defineCommand({
  summary: 'Print the X.509-SVIDs of this process now and whenever they change, until interrupted',
  examples: ['agent api watch -socketPath /run/steeple/agent/public/api.sock'],
  flags: agentSocketFlags,
  async run(socket, session) {
    const { terminal, clock } = session
    using agent = connectAgent(socket, undefined, session)
    const client = agent.client(workloadApi())
    const open = () => client.FetchX509SVID({}, securityHeader(), agent.options())
    let retryMs = FIRST_RETRY_MS
    for (;;) {
      try {
        for await (const text of textsOf(agent, open, session)) {
          retryMs = FIRST_RETRY_MS
          terminal.print(text)
        }
      } catch (error) {
        if (!(error instanceof IdentityError) || error.code === 'REQUEST_INVALID') throw error
        terminal.complain(`${reasonOf(error)}\n`)
      }
      await clock.sleep(retryMs)
      retryMs = Math.min(retryMs * 2, MAX_RETRY_MS)
    }
  },
})

async function* textsOf(
  agent: Endpoint,
  open: () => ClientReadableStream<X509SVIDResponse>,
  { clock }: Session,
): AsyncGenerator<string, void, undefined> {
  let since = clock.now().getTime()
  for await (const answer of messagesOf<X509SVIDResponse>(agent, open())) {
    const { svids, federatedBundles } = readX509Answer(answer)
    const now = clock.now().getTime()
    // As SPIRE's command: names of trust domains, and no hints.
    const named = new Map([...federatedBundles].map(([id, bundle]) => [bareName(id), bundle]))
    const plain = svids.map((svid) => ({ ...svid, hint: '' }))
    yield svidsText(plain, named, now - since)
    since = now
  }
}

function bareName(trustDomainId: string): string {
  return trustDomainId.replace(/^spiffe:\/\//, '')
}
