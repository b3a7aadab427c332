/** `steeple agent api fetch x509`: the X.509-SVIDs of whoever runs it, printed or written to files. */
import { join } from 'node:path'
import type { X509SVIDResponse } from '../../../proto/gen/X509SVIDResponse.ts'
import { workloadApi } from '../../../proto/load.ts'
import type { Certificate } from '../../../spiffe/x509/certificate.ts'
import { toPem, toPemChain } from '../../../spiffe/x509/pem.ts'
import { defineCommand } from '../../command.ts'
import { boolean, path } from '../../flag/kinds.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { svidsText } from '../../output/svid-text.ts'
import { PRIVATE, PUBLIC, writeFile } from '../../output/write-file.ts'
import { connectAgent } from '../../rpc/endpoint.ts'
import type { Terminal } from '../../terminal.ts'
import { workloadFlags } from '../flags.ts'
import { type ReadAnswer, readX509Answer } from './read-x509.ts'
import { firstOf, securityHeader } from './workload-call.ts'

export const fetchX509 = defineCommand({
  summary: 'Fetch the X.509-SVIDs of this process from the Workload API',
  examples: ['agent api fetch x509', 'agent api fetch x509 -write /run/svid -silent'],
  flags: {
    ...workloadFlags,
    silent: boolean('print nothing of the SVIDs, for pretty output'),
    write: path('directory for svid.N.pem, svid.N.key and bundle.N.pem, for pretty output'),
  },
  async run({ output, timeout, silent, write, ...socket }, session) {
    const { terminal, clock } = session
    using agent = connectAgent(socket, timeout, session)
    const client = agent.client(workloadApi())
    const start = clock.now().getTime()
    const stream = client.FetchX509SVID({}, securityHeader(), agent.options())
    const answer = await firstOf<X509SVIDResponse>(agent, stream)
    if (output === 'json') {
      printJson(terminal, toProtoJson('workload', 'X509SVIDResponse', answer))
      return 0
    }
    const read = readX509Answer(answer)
    const tookMs = clock.now().getTime() - start
    if (silent !== true) terminal.print(svidsText(read.svids, read.federatedBundles, tookMs))
    if (write !== '') await writeFiles(read, write, terminal)
    return 0
  },
})

const pemOf = (certificates: readonly Certificate[]) =>
  toPemChain(certificates.map(({ der }) => der))

async function writeFiles(
  { svids, federatedBundles }: ReadAnswer,
  directory: string,
  terminal: Terminal,
): Promise<void> {
  const write = async (what: string, name: string, content: string, mode: number) => {
    const path = join(directory, name)
    terminal.print(`Writing ${what} to file ${path}.\n`)
    await writeFile(path, content, mode)
  }
  for (const [index, { chain, key, bundle }] of svids.entries()) {
    await write(`SVID #${index}`, `svid.${index}.pem`, pemOf(chain), PUBLIC)
    await write(`key #${index}`, `svid.${index}.key`, toPem('PRIVATE KEY', key), PRIVATE)
    await write(`bundle #${index}`, `bundle.${index}.pem`, pemOf(bundle), PUBLIC)
    for (const [other, [id, certificates]] of [...federatedBundles].entries()) {
      const what = `federated bundle #${other} for trust domain ${id}`
      await write(what, `federated_bundle.${index}.${other}.pem`, pemOf(certificates), PUBLIC)
    }
  }
}
