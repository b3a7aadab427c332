/** Workers as real threads with real sockets; identity and policies are the test's own. */
import { readProxyConfig } from '../../../proxy/config.ts'
import { createKillSwitch } from '../../../proxy/enforce/kill-switch.ts'
import type { FetchDocument } from '../../../proxy/policy-source/fetch-document.ts'
import type { PolicySource } from '../../../proxy/policy-source/policy-source.ts'
import { readPolicies } from '../../../proxy/policy-source/read-policies.ts'
import { readSelf } from '../../../proxy/self.ts'
import { NO_ACCESS_LOG, type OpenAccessLog } from '../../../proxy/telemetry/access-log.ts'
import { openWorkers } from '../../../proxy/workers/open-workers.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import { memoryLog } from '../../fakes/memory-log.ts'
import type { FakeTlsIdentity } from '../../fakes/svids.ts'

export interface WorkersTest {
  readonly identity: FakeTlsIdentity
  /** Lines of the `proxy` block. */
  readonly settings: string
  readonly policies?: string
  readonly accessLog?: OpenAccessLog
  readonly fetch?: FetchDocument
  /** Of further workloads of the node, by their only selector. */
  readonly others?: Readonly<Record<string, FakeTlsIdentity>>
}

const nobody: FetchDocument = async () => {
  throw new Error('no issuer is there')
}

export const configOf = (settings: string) =>
  readProxyConfig({
    ...{ path: 'proxy.conf', text: `proxy {\n policy_dir = "unused"\n${settings}\n}` },
    ...{ flags: {}, env: {} },
    readText: () => '',
  })

const disposable = (identity: FakeTlsIdentity) =>
  Object.assign(identity, { async [Symbol.asyncDispose]() {} })

export async function startWorkers(test: WorkersTest) {
  const { identity, policies = '', accessLog = NO_ACCESS_LOG, fetch = nobody } = test
  const { log, lines } = memoryLog()
  const config = configOf(test.settings)
  const self = readSelf(config, identity.current().defaultSvid.id, 'host')
  const snapshotOf = (text: string) =>
    readPolicies([{ name: 'policies', text }], self.mesh).snapshot
  let snapshot = snapshotOf(policies)
  const listeners = new Set<() => void>()
  const source: PolicySource = {
    current: () => snapshot,
    status: () => ({
      ...{ source: 'test', loadedAt: systemClock.now(), objects: 0 },
      ...{ problem: undefined, warnings: [] },
    }),
    onChange(listener) {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
  }
  const killSwitch = createKillSwitch(systemClock, log)
  const own = disposable(identity)
  const workers = await openWorkers({
    ...{ config, self, source, killSwitch, accessLog, fetch, clock: systemClock, log },
    identities: {
      own,
      async of([selector = '']) {
        const other = test.others?.[selector]
        if (other === undefined) throw new Error(`nobody has the selector ${selector}`)
        return disposable(other)
      },
      async [Symbol.asyncDispose]() {},
    },
  })
  return {
    ...{ workers, lines, killSwitch },
    port(name: string): number {
      const found = workers.open.find((one) => one.name === name)?.address
      if (found?.kind !== 'tcp') throw new Error(`no port of ${name}`)
      return found.port
    },
    writePolicies(text: string) {
      snapshot = snapshotOf(text)
      for (const listener of listeners) listener()
    },
    [Symbol.asyncDispose]: () => workers[Symbol.asyncDispose](),
  }
}
