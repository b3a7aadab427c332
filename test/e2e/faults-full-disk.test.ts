/** What servers and agents do on a disk that is full or read-only: real processes on small file systems in memory, for root. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { credentials } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { workloadApi } from '../../proto/load.ts'
import { securityHeader } from '../../workload/workload-client.ts'
import { call, connectAdmin, deadline } from '../kill/clients.ts'
import { createEntry, listEntries } from '../kill/entries.ts'
import { type Agent, program, startAgent, startServer } from '../processes/cluster.ts'
import { compiler, openMovedClock } from '../processes/moved-clock.ts'
import { run } from '../processes/process.ts'
import { canMount, mountSmallDisk } from '../processes/small-disk.ts'

const LONG_MS = 600_000
/** More than the last block of any file has room for. */
const MANY_SIGNATURES = 80

test.skipIf(!canMount)(
  'on a full disk writes are refused with the reason, reads go on, and nothing that was acknowledged is lost',
  async () => {
    using disk = mountSmallDisk()
    await using server = await disk.holding(() => startServer('steeple'))
    using admin = connectAdmin(server.socket)
    const acknowledged: string[] = []
    const keys = readFileSync(join(server.dir, 'keys.json'))
    const filler = disk.fill()
    let refusal = ''
    for (let at = 0; refusal === '' && at < 5_000; at += 1) {
      const outcome = await createEntry(admin, `full-${at}`)
      const status = outcome.kind === 'acknowledged' ? outcome.reply.results[0]?.status : undefined
      if (status?.code === 0) acknowledged.push(`full-${at}`)
      else refusal = status?.message ?? JSON.stringify(outcome)
    }
    expect(refusal).toMatch(/database or disk is full.*; free space on its disk, then try again/)
    const prepared = await server.cli('steeple', 'localauthority', 'x509', 'prepare')
    expect(prepared.code).toBe(1)
    expect(prepared.stderr).toMatch(/cannot write keys file .*ENOSPC.*; /)
    expect(readFileSync(join(server.dir, 'keys.json'))).toEqual(keys)
    const shown = new Set((await listEntries(admin)).map(({ id }) => id))
    expect(acknowledged.filter((id) => !shown.has(id))).toEqual([])

    rmSync(filler)
    expect(await createEntry(admin, 'later')).toMatchObject({ kind: 'acknowledged' })
    expect((await server.cli('steeple', 'localauthority', 'x509', 'prepare')).code).toBe(0)
    server.process().kill('SIGKILL')
    await server.process().ended
    await server.restart()
    using again = connectAdmin(server.socket)
    const there = new Set((await listEntries(again)).map(({ id }) => id))
    expect([...acknowledged, 'later'].filter((id) => !there.has(id))).toEqual([])
  },
  LONG_MS,
)

test.skipIf(!canMount)(
  'a server whose disk has become read-only does not start, names the directory, and starts once it is writable',
  async () => {
    using disk = mountSmallDisk()
    await using server = await disk.holding(() => startServer('steeple'))
    await server.process()[Symbol.asyncDispose]()
    disk.remount('ro')
    const [command, words] = program('steeple', 'server')
    const conf = join(server.dir, 'server.conf')
    const { code, stderr } = await run(command, [...words, 'run', '-config', conf])
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /data_dir .* cannot be used \(.*EROFS.*\); choose a directory this user may write to/,
    )
    disk.remount('rw')
    await server.restart()
    using admin = connectAdmin(server.socket)
    await call((done) => admin.entry.CountEntries({}, deadline(), done))
  },
  LONG_MS,
)

/** @returns how many JWT-SVIDs were signed, each for an audience of its own */
async function sign({ socket }: Agent, count: number): Promise<number> {
  const client = new (workloadApi())(`unix:${socket}`, credentials.createInsecure())
  try {
    const signed = Array.from({ length: count }, (_, at) =>
      call((done) => client.FetchJWTSVID({ audience: [`audience-${at}`] }, securityHeader(), done)),
    )
    return (await Promise.all(signed)).length
  } finally {
    client.close()
  }
}

test.skipIf(!canMount || compiler === undefined)(
  'on a full disk the server signs without its ledger and says so, and an agent keeps its SVID, serves, and renews once there is room',
  async () => {
    using clock = openMovedClock()
    using disk = mountSmallDisk()
    const { env } = clock
    const settings = 'agent_ttl = "1h"  default_x509_svid_ttl = "6h"'
    await using server = await disk.holding(() => startServer('steeple', { env, settings }))
    await using agent = await disk.holding(() => startAgent('steeple', server, { env }))
    using admin = connectAdmin(server.socket)
    const uid = `uid:${process.getuid?.()}`
    const parent = agent.id.slice('spiffe://example.org'.length)
    await createEntry(admin, 'workload', { parent, selector: { type: 'unix', value: uid } })
    const fetch = () => agent.cli('steeple', 'api', 'fetch', 'x509')
    await expect.poll(async () => (await fetch()).code, { timeout: 60_000 }).toBe(0)
    const state = join(agent.dir, 'data', 'agent-data.json')
    const before = readFileSync(state, 'utf8')

    disk.fill()
    expect(await sign(agent, MANY_SIGNATURES)).toBe(MANY_SIGNATURES)
    await server.process().line(/Signatures of earlier runs are not known.*ENOSPC/)
    const filler = disk.fill()
    clock.moveTo(40 * 60)
    await agent.process().line(/The agent SVID could not be renewed yet.*ENOSPC/)
    expect(readFileSync(state, 'utf8')).toBe(before)
    expect((await fetch()).code).toBe(0)

    rmSync(filler)
    await agent.process().line(/Agent SVID renewed/)
    for (const one of [agent, server]) {
      one.process().kill('SIGKILL')
      await one.process().ended
    }
    await server.restart()
    await agent.restart()
    expect(agent.process().output()).toContain('Agent SVID loaded')
    expect((await fetch()).stdout).toContain('spiffe://example.org/workload')
  },
  LONG_MS,
)
