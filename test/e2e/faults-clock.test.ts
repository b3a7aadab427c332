/** A server whose clock was wrong by an hour, either way, between two runs. The clock is an argument of `runServer`. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ListAgentsResponse } from '../../proto/gen/spire/api/server/agent/v1/ListAgentsResponse.ts'
import type { JoinToken } from '../../proto/gen/spire/api/types/JoinToken.ts'
import { type Clock, systemClock } from '../../spiffe/clock.ts'
import { readBundle } from '../kill/authorities.ts'
import { call, connectAdmin, deadline } from '../kill/clients.ts'
import { startTestServer } from '../server/running-server.ts'

const HOUR_MS = 3_600_000

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'steeple-clock-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const turned = (ms: number): Clock => ({
  now: () => new Date(systemClock.now().getTime() + ms),
  sleep: systemClock.sleep,
})

test.each([
  ['forward', HOUR_MS],
  ['back', -HOUR_MS],
])(
  'a server whose clock jumps an hour %s keeps its authorities and nodes, and still gives out tokens',
  async (_way, ms) => {
    let authorities: string[] = []
    let node = ''
    {
      await using first = await startTestServer({ dir })
      using admin = connectAdmin(first.socketPath)
      authorities = (await readBundle(admin)).x509_authorities.map(({ asn1 }) =>
        asn1.toString('hex'),
      )
      node = (await first.attest()).id
    }
    await using again = await startTestServer({ dir, clock: turned(ms) })
    using admin = connectAdmin(again.socketPath)
    const now = (await readBundle(admin)).x509_authorities.map(({ asn1 }) => asn1.toString('hex'))
    expect(authorities.length).toBeGreaterThan(0)
    expect(now).toEqual(expect.arrayContaining(authorities))
    const { agents } = await call<ListAgentsResponse>((done) =>
      admin.agent.ListAgents({}, deadline(), done),
    )
    expect(agents.map(({ id }) => `spiffe://example.org${id?.path}`)).toContain(node)
    const token = await call<JoinToken>((done) =>
      admin.agent.CreateJoinToken({ ttl: 600 }, deadline(), done),
    )
    expect(token.value).not.toBe('')
  },
)
