/**
 * The commands of `spire-agent`, by SPIRE's program and by ours: health, the check of a configuration file, a watch that
 * is refused and one that is served, the level of the log. Each fails as loudly as it should.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type Agent, type Kind, program } from '../../processes/cluster.ts'
import { run, start, until } from '../../processes/process.ts'
import {
  type Cell,
  commandLines,
  deleteEntry,
  isServed,
  openAgent,
  openServer,
  register,
  told,
} from './cell.ts'

export async function tell(cell: Cell): Promise<void> {
  await using server = await openServer(cell)
  await using agent = await openAgent(cell, server, { hasAdminSocket: true })
  for (const by of commandLines(cell)) {
    await askForHealth(by, agent)
    await checkFiles(by, agent)
    await setLevels(by, agent)
    const id = `spiffe://example.org/for-${by}`
    const [command, words] = program(by, 'agent')
    await using watch = start(command, [...words, 'api', 'watch', '-socketPath', agent.socket])
    await watch.line(/no identity issued/)
    const entry = await register(server, agent.id, id)
    await watch.line(/Received 1 svid/)
    await watch.line(new RegExp(`SPIFFE ID:\\s+${id}`))
    await register(server, agent.id, `${id}-too`)
    await watch.line(/Received 2 svids/)
    await watch.line(new RegExp(`SPIFFE ID:\\s+${id}-too`))
    await deleteEntry(server, entry)
    await until('one to be left', () => isServed(agent, `${id}-too`))
    const { entries } = await told(server, 'entry', 'show', '-spiffeID', `${id}-too`)
    await deleteEntry(server, entries[0].id)
    await until('none to be left', () => isServed(agent))
  }
}

async function askForHealth(by: Kind, agent: Agent): Promise<void> {
  const healthy = await agent.cli(by, 'healthcheck')
  expect(healthy).toMatchObject({ code: 0, stdout: 'Agent is healthy.\n' })
  expect((await agent.cli(by, 'healthcheck', '-verbose')).stdout).toContain('Checking agent health')
  const [command, words] = program(by, 'agent')
  const nowhere = join(agent.dir, 'nowhere.sock')
  const unhealthy = await run(command, [...words, 'healthcheck', '-socketPath', nowhere])
  expect(unhealthy.code).toBe(1)
  expect(unhealthy.stderr).toContain('Agent is unhealthy')
}

async function checkFiles(by: Kind, agent: Agent): Promise<void> {
  const good = join(agent.dir, 'agent.conf')
  const valid = await agent.cli(by, 'validate', '-config', good)
  expect(valid).toMatchObject({ code: 0 })
  expect(valid.stdout).toContain('SPIRE agent configuration file is valid')
  const text = readFileSync(good, 'utf8')
  const bad = join(agent.dir, 'bad.conf')
  for (const [content, complaint] of [
    [text.replace(/trust_domain = .*/, ''), /trust_domain/],
    [text.replace('agent {', 'agent { no_such_key = 1'), /no_such_key/],
    [text.replace('agent {', 'agent {{'), /bad\.conf|configuration/],
  ] as const) {
    writeFileSync(bad, content)
    const invalid = await agent.cli(by, 'validate', '-config', bad)
    expect(invalid.code, content).toBe(1)
    expect(invalid.stdout + invalid.stderr).toMatch(complaint)
  }
}

async function setLevels(by: Kind, agent: Agent): Promise<void> {
  const logger = async (...words: readonly string[]) => {
    const { code, stdout, stderr } = await agent.adminCli(by, 'logger', ...words)
    if (code !== 0) throw new Error(stdout + stderr)
    return stdout.replace(/ +/g, ' ')
  }
  expect(await logger('get')).toBe('Logger Level : debug\nLaunch Level : debug\n\n')
  expect(await logger('set', '-level', 'warn')).toContain('Logger Level : warning')
  expect(JSON.parse(await logger('get', '-output', 'json'))).toMatchObject({
    current_level: 'WARN',
    launch_level: 'DEBUG',
  })
  await expect(logger('set')).rejects.toThrow()
  await expect(logger('set', '-level', 'nonsense')).rejects.toThrow()
  expect(await logger('reset')).toBe('Logger Level : debug\nLaunch Level : debug\n\n')
  // Workloads have no say in it.
  expect((await agent.cli(by, 'logger', 'get')).code).toBe(1)
}
