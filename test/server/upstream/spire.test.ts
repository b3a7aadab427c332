import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openSpireUpstream } from '../../../server/upstream/spire.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { FakeClock } from '../../fakes/clock.ts'

const dir = mkdtempSync(join(tmpdir(), 'steeple-upstream-'))
afterAll(() => rmSync(dir, { recursive: true }))

test('a server that waits for its identity from an agent that is not there stops when it is told to', async () => {
  const stop = new AbortController()
  const failures: string[] = []
  await using upstream = openSpireUpstream(
    { kind: 'spire', host: '127.0.0.1', port: 1, workloadApiSocket: join(dir, 'none.sock') },
    {
      ...{ trustDomain: parseTrustDomain('example.org'), clock: new FakeClock() },
      ...{ signal: stop.signal, onFailure: (error) => void failures.push(String(error)) },
    },
  )
  const minting = upstream.mintX509Ca(new Uint8Array(), 60)
  const refused = expect(minting).rejects.toThrow(/gave no X509-SVID/)
  await expect.poll(() => failures).toContainEqual(expect.stringContaining('none.sock'))
  stop.abort()
  await refused
})
