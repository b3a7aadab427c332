import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ControllerConfig } from '../../../server/controller/controller-config.ts'
import { openController } from '../../../server/controller/open-controller.ts'
import { openStore } from '../../../server/store/sqlite/open-store.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import { memoryLog } from '../../fakes/memory-log.ts'
import { settings } from './cluster.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'steeple-controller-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function kubeconfig(authorities: string): string {
  const path = join(directory, authorities)
  const cluster = {
    server: 'https://127.0.0.1:6443',
    'certificate-authority-data': Buffer.from(authorities).toString('base64'),
  }
  const file = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'x' },
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user: {} }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
  }
  writeFileSync(path, JSON.stringify(file))
  return path
}

const config = (path: string): ControllerConfig => ({
  ...{ clusterName: 'demo', clusterDomain: 'cluster.local', kubeconfig: path },
  ...{ className: '', watchesClassless: true, ignoredNamespaces: [], parentIdTemplate: '' },
  ...{ entryIdPrefix: 'demo.', gcIntervalMs: 10_000 },
  ...{ leaderElection: undefined, webhook: undefined },
})

/** @returns the turns that a server without a Lease asks for, none of which it is granted */
async function turnsWanted(path: string): Promise<readonly string[]> {
  await using store = await openStore({ path: ':memory:', clock: systemClock })
  const wanted: string[] = []
  const turns = {
    ...store.turns,
    isShared: true,
    hold: async (name: string) => void wanted.push(name),
  }
  const unasked = () => Promise.reject(new Error('the cluster was asked without the turn'))
  const register = await openController(config(path), {
    ...{ trustDomain: settings.trustDomain, dataDir: directory, store: { ...store, turns } },
    cluster: { server: 'x', request: unasked, watch: unasked, [Symbol.dispose]() {} },
    ...{ onRelationship() {}, auditLog: undefined, log: memoryLog().log, clock: systemClock },
    ...{ randomUuid: () => 'a-uuid', random: () => 0 },
  })
  await register(new AbortController().signal)
  return wanted
}

test('without a lease, servers of one store take turns in registering the workloads of a cluster', async () => {
  const [first, second] = [
    await turnsWanted(kubeconfig('one')),
    await turnsWanted(kubeconfig('one')),
  ]
  expect(first).toEqual([expect.stringMatching(/^register demo [0-9a-f]{12}$/)])
  expect(second).toEqual(first)
})

test('two clusters that are called alike are registered side by side', async () => {
  expect(await turnsWanted(kubeconfig('one'))).not.toEqual(await turnsWanted(kubeconfig('other')))
})
