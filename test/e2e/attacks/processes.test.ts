/**
 * Processes that try to be taken for others: by the number of one that has ended, by becoming another program, and by
 * what they make of the files that the agent looks at. The agents are real, and so are the processes.
 */
import { chmodSync, copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchAgent, startAgent, startServer } from '../../processes/cluster.ts'
import { askIdentities } from './ask-identities.ts'
import { isRoot, onBothKinds } from './on-both-kinds.ts'
import { NAMES, NOBODY, register, startWorld, type World } from './world.ts'

describe.runIf(isRoot)('with root', () => {
  onBothKinds((kind) => {
    let world: World
    beforeAll(async () => {
      world = await startWorld(kind)
    })
    afterAll(() => world[Symbol.asyncDispose]())

    test.for([0, NOBODY])(
      'the number of a process that connected and ended gets nobody its successor’s identity, as user %i',
      async (as) => {
        const program = { path: world.victim }
        expect(await world.attack({ kind: 'dies', as, program })).toBe('cut')
      },
    )

    test('a number that changed hands before the agent took the connection gets nobody an identity either', async () => {
      const attack = (as: number) =>
        world.attack(
          { kind: 'dies', as, program: { path: world.victim } },
          { whileAgentSleeps: world.agent.process().pid },
        )
      expect(await attack(0)).toBe('cut')
      // SPIRE looks at the number when it takes the connection; the kernel can tell it of the process.
      const taken = ['nobody', 'victim', 'hashed']
      expect(await attack(NOBODY)).toEqual(kind === 'steeple' ? 'cut' : taken)
    })

    test('a process that becomes a set-user-ID program after it connected gets no identity', async () => {
      const program = { path: world.setUid }
      expect(await world.attack({ kind: 'execs', program })).toBe('cut')
    })

    test('a process is the program that it runs when it asks, not the one that connected', async () => {
      const sleep = join(world.dir, 'sleep')
      copyFileSync(world.victim, sleep)
      const program = { path: sleep }
      expect(await world.attack({ kind: 'execs', program })).toEqual(['nobody'])
    })

    test('in a mount namespace of its own a program has any path, and never another content', async () => {
      const fake = join(world.dir, 'fake')
      copyFileSync('/usr/bin/tail', fake)
      const script = `mount --bind ${fake} ${world.victim} && exec ${world.victim} -f /dev/null`
      const words = ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', script]
      const program = { path: world.victim, words }
      expect(await world.attack({ kind: 'execs', program })).toEqual(['nobody', 'victim'])
    })
  })

  test('where /proc hides other users’ processes, callers that cannot be looked at get nothing', async () => {
    await using server = await startServer('steeple')
    chmodSync(server.dir, 0o755)
    const hidden = 'mount -t proc -o hidepid=invisible proc /proc'
    await using agent = await startAgent('steeple', server, {
      workloadAttestor: 'discover_workload_path = true',
      under: (dir) => [
        ...['unshare', '--mount', 'sh', '-c'],
        `${hidden} && chown -R ${NOBODY} ${dir} && exec setpriv --reuid=${NOBODY} --clear-groups "$@"`,
        'sh',
      ],
    })
    await register(server, agent, 'root', ['unix:uid:0'])
    expect(await askIdentities(agent.socket, NAMES)).toBe('refused')
    expect(agent.process().output()).toContain('workload attestation failed')
  })

  test('an agent does not start under the /proc of another PID namespace', async () => {
    await using server = await startServer('steeple')
    await using agent = await launchAgent('steeple', server, {
      under: () => ['unshare', '--pid', '--fork', '--kill-child'],
    })
    expect(await agent.process().ended).toBe(1)
    expect(agent.process().output()).toContain('/proc is of another PID namespace')
  })

  test('a caller outside of the agent’s PID namespace has no number there, and gets no connection', async () => {
    await using server = await startServer('steeple')
    await using agent = await launchAgent('steeple', server, {
      under: () => ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'],
    })
    await agent.process().line(/Serving the Workload API/)
    expect(await askIdentities(agent.socket, NAMES)).toBe('cut')
    await agent.process().line(/the caller is in another PID namespace/)
  })
})
