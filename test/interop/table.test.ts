/**
 * What SPIRE proves of itself, told again by either server with either agent: the suites of SPIRE's integration tests
 * that need no foreign product, as the rows of a table whose columns are the four pairs. The table is printed at the end.
 */
import { afterAll, describe, test, vi } from 'vitest'
import type { Kind } from '../processes/cluster.ts'
import { lacking, type Peer } from './interop.ts'
import { tell as adminEndpoints } from './suites/admin-endpoints.ts'
import { tell as agentCli } from './suites/agent-cli.ts'
import type { Cell } from './suites/cell.ts'
import { tell as debugEndpoints } from './suites/debug-endpoints.ts'
import { tell as entries } from './suites/entries.ts'
import { tell as evictAgent } from './suites/evict-agent.ts'
import { tell as fetchJwtSvids } from './suites/fetch-jwt-svids.ts'
import { tell as fetchX509Svids } from './suites/fetch-x509-svids.ts'
import { tell as forceRotationJwtAuthority } from './suites/force-rotation-jwt-authority.ts'
import { tell as forceRotationSelfSigned } from './suites/force-rotation-self-signed.ts'
import { tell as forceRotationUpstreamAuthority } from './suites/force-rotation-upstream-authority.ts'
import { tell as joinToken } from './suites/join-token.ts'
import { tell as nodeAttestation } from './suites/node-attestation.ts'
import { tell as nodeReAttestation } from './suites/node-re-attestation.ts'
import { tell as rotation } from './suites/rotation.ts'
import { tell as spireServerCli } from './suites/spire-server-cli.ts'
import { tell as syncAuthorizedEntries } from './suites/sync-authorized-entries.ts'
import { createTable } from './suites/table.ts'

/** Those that wait longest come first, so that the others run beside them. */
const SUITES: Readonly<Record<string, (cell: Cell) => Promise<void>>> = {
  rotation,
  'force-rotation-self-signed': forceRotationSelfSigned,
  'force-rotation-jwt-authority': forceRotationJwtAuthority,
  'force-rotation-upstream-authority': forceRotationUpstreamAuthority,
  'node-re-attestation': nodeReAttestation,
  'evict-agent': evictAgent,
  'node-attestation': nodeAttestation,
  entries,
  'fetch-x509-svids': fetchX509Svids,
  'fetch-jwt-svids': fetchJwtSvids,
  'sync-authorized-entries': syncAuthorizedEntries,
  'admin-endpoints': adminEndpoints,
  'spire-server-cli': spireServerCli,
  'agent-cli': agentCli,
  'debug-endpoints': debugEndpoints,
  'join-token': joinToken,
}

const KINDS: readonly Kind[] = ['steeple', 'spire']
const CELLS: readonly Cell[] = KINDS.flatMap((server) => KINDS.map((agent) => ({ server, agent })))
const NEEDS: readonly Peer[] = ['spire-server', 'spire-agent', 'go-client']
/** What a suite needs beyond what all need. */
const MORE_NEEDS: Readonly<Record<string, readonly Peer[]>> = {
  'fetch-jwt-svids': ['py-spiffe'],
  'force-rotation-upstream-authority': ['openssl'],
}

const column = ({ server, agent }: Cell) => `${server} server, ${agent} agent`
const table = createTable(Object.keys(SUITES), CELLS.map(column))
const print = () => void process.stderr.write(table.print())
const lackingFor = (suite: string) => lacking([...NEEDS, ...(MORE_NEEDS[suite] ?? [])])
// Where nothing at all can run, vitest calls no hook.
const isToRun = Object.keys(SUITES).some((suite) => lackingFor(suite) === undefined)
afterAll(print)

/** A cell is two processes and mostly waits; more at once would wait for each other. */
vi.setConfig({ maxConcurrency: 4 })

describe.concurrent('the suites of SPIRE', () => {
  for (const [suite, tell] of Object.entries(SUITES)) {
    const missing = lackingFor(suite)
    for (const cell of CELLS) {
      const title = `${suite}: ${column(cell)}`
      if (missing === undefined) {
        test(title, () => table.enter(suite, column(cell), () => tell(cell)))
      } else {
        table.skip(suite, column(cell), missing)
        test.skip(`${title} (${missing})`, () => {})
      }
    }
  }
  if (!isToRun) print()
})
