/** `wit mint` of SPIRE and of ours, at SPIRE's server with WIT-SVIDs and at both servers without: the same but for tokens and keys. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type Server, startServer, steeple } from '../processes/cluster.ts'
import { type Result, run } from '../processes/process.ts'
import { interop, peer } from './interop.ts'

const env = { SPIRE_SERVER_FFLAGS: 'wit-svid' }
const job = ['-spiffeID', 'spiffe://example.org/job']

async function both(server: Server, ...flags: readonly string[]): Promise<readonly Result[]> {
  const words = ['wit', 'mint', ...flags, '-socketPath', server.socket]
  const theirs = await run(peer('spire-server'), words, { env })
  return [theirs, await run(steeple, ['server', ...words], { env })]
}

/** Tokens, keys and times differ from run to run. */
const settled = ({ code, stdout, stderr }: Result) => ({
  code,
  stderr: stderr.replace(/"\d{4}-\d\d-\d\dT[\d:]+Z"/, 'TIME'),
  stdout: stdout
    .replace(/eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/g, 'TOKEN')
    .replace(/(?<="(?:x|y|d|n|p|q|dp|dq|qi)":")[\w-]+/g, 'PART')
    .replace(/(?<=\\"(?:x|y|d|n|p|q|dp|dq|qi)\\":\\")[\w-]+/g, 'PART')
    .replace(/(?<=_at":)\d+/g, 'UNIX'),
})

const LINES: readonly (readonly string[])[] = [
  job,
  [...job, '-output', 'json'],
  [...job, '-ttl', '1000h'],
  [...job, '-keyType', 'ec-p384', '-signingAlgorithm', 'ES384'],
  [...job, '-keyType', 'rsa-2048', '-signingAlgorithm', 'RS512', '-output', 'json'],
  [...job, '-keyType', 'rsa-2048'],
  [...job, '-keyType', 'ec-p256', '-signingAlgorithm', 'RS256'],
  [...job, '-signingAlgorithm', 'nonsense'],
  [...job, '-write', '/nonexistent'],
  ['-spiffeID', 'spiffe://other.org/job'],
  ['-spiffeID', 'nonsense'],
  [],
]

interop('wit mint says what that of spire-server says', ['spire-server'], async () => {
  const settings = 'experimental { feature_flags = ["wit-svid"] }'
  await using server = await startServer('spire', { settings })
  for (const line of LINES) {
    const [theirs, ours] = (await both(server, ...line)).map(settled)
    expect(ours, line.join(' ')).toEqual(theirs)
  }
  const written = await both(server, ...job, '-write', server.dir)
  expect(written[1]).toEqual(written[0])
  expect(readFileSync(join(server.dir, 'token'), 'utf8')).toMatch(/^eyJ/)
  expect(JSON.parse(readFileSync(join(server.dir, 'key'), 'utf8'))).toHaveProperty('d')
})

interop(
  'wit mint is refused alike by both servers without the feature',
  ['spire-server'],
  async () => {
    for (const kind of ['spire', 'steeple'] as const) {
      await using server = await startServer(kind)
      const [theirs, ours] = await both(server, ...job)
      expect(theirs).toEqual({
        code: 1,
        stdout: '',
        stderr:
          'Error: unable to mint SVID: rpc error: code = Unimplemented desc = WIT functionality is disabled\n',
      })
      expect(ours).toEqual(theirs)
      const plain = ['wit', 'mint', ...job]
      const theirCode = (await run(peer('spire-server'), plain)).code
      expect([theirCode, (await run(steeple, ['server', ...plain])).code]).toEqual([127, 127])
    }
  },
)
