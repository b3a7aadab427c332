/** Both proxies of a conversation in one process, as `openListeners` makes them, with policies of the test's own. */

import { jwtRulesFor } from '../../policy/authenticate-request.ts'
import { readProxyConfig } from '../../proxy/config.ts'
import { createEngine } from '../../proxy/enforce/engine.ts'
import { createKillSwitch } from '../../proxy/enforce/kill-switch.ts'
import { openProviders } from '../../proxy/ext-authz/providers.ts'
import { openListeners } from '../../proxy/listeners.ts'
import { openTokenKeys } from '../../proxy/policy-source/issuer-keys.ts'
import type { PolicySource } from '../../proxy/policy-source/policy-source.ts'
import { readPolicies } from '../../proxy/policy-source/read-policies.ts'
import { readSelf } from '../../proxy/self.ts'
import { openTracing } from '../../proxy/tracing/tracing.ts'
import { systemClock } from '../../spiffe/clock.ts'
import type { FakeTlsIdentity } from '../fakes/svids.ts'
import { openTestContext } from './running-proxy.ts'

/** @param settings lines of the `proxy` block */
export async function startListeners(identity: FakeTlsIdentity, settings: string, policies = '') {
  const test = openTestContext(identity)
  const config = readProxyConfig({
    ...{ path: 'proxy.conf', text: `proxy {\n policy_dir = "unused"\n${settings}\n}` },
    ...{ flags: {}, env: {} },
    readText: () => '',
  })
  const { tracing: wanted } = config
  const tracing = wanted === undefined ? undefined : await openTracing(wanted, test.context)
  const context = tracing === undefined ? test.context : { ...test.context, tracing }
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
  const killSwitch = createKillSwitch(systemClock, context.log)
  const providers = openProviders({
    ...{ providers: config.mesh.extensionProviders, clock: systemClock, log: context.log },
    ...{ logLimit: context.logLimit, socketMark: undefined },
  })
  const engine = createEngine({
    ...{ source, killSwitch, workload: self.workload, providers, log: context.log },
    self: () => identity.current().defaultSvid.id,
  })
  const fetch = async () => {
    throw new Error('no issuer is there')
  }
  const tokenKeys = openTokenKeys({ fetch, ca: undefined, clock: systemClock, log: context.log })
  tokenKeys.follow(jwtRulesFor(snapshot, self.workload, { kind: 'sidecar-http' }))
  const open = await openListeners({ context, config, engine, self, verify: tokenKeys.verify })
  return {
    ...test,
    ...{ context, engine, killSwitch, source, tokenKeys, self, listeners: open },
    port(name: string): number {
      const found = open.open.find((one) => one.name === name)?.address
      if (found?.kind !== 'tcp') throw new Error(`no port of ${name}`)
      return found.port
    },
    writePolicies(text: string) {
      snapshot = snapshotOf(text)
      for (const listener of listeners) listener()
      context.connections.rejudge()
    },
    async [Symbol.asyncDispose]() {
      await open[Symbol.asyncDispose]()
      await tracing?.[Symbol.asyncDispose]()
      tokenKeys[Symbol.dispose]()
      engine[Symbol.dispose]()
      providers[Symbol.dispose]()
      test[Symbol.dispose]()
    },
  }
}
