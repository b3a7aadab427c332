/** Network namespaces for tests: each is the machine of one pod, all on one bridge. Needs root and the programs of iproute2. */
import { type Result, type Running, run, start } from './process.ts'

export interface Pods<Name extends string> extends AsyncDisposable {
  /** Name of the namespace, as `ip netns` has it. */
  netns(pod: Name): string
  /** File of the namespace. */
  netnsPath(pod: Name): string
  ip(pod: Name, family?: 4 | 6): string
}

/** Starts a program in a namespace. */
export function startIn(netns: string, words: readonly string[]): Running {
  return start('ip', ['netns', 'exec', netns, ...words])
}

/** Runs a program in a namespace to its end. */
export function runIn(netns: string, words: readonly string[]): Promise<Result> {
  return run('ip', ['netns', 'exec', netns, ...words], { timeoutMs: 30_000 })
}

/** @param more further addresses of a pod, which the others can reach too */
export async function startPods<const Name extends string>(
  names: readonly Name[],
  more: Readonly<Record<string, string>> = {},
): Promise<Pods<Name>> {
  const prefix = `steeple-${process.pid}`
  const hub = `${prefix}-hub`
  const netns = (pod: string) => `${prefix}-${pod}`
  const octet = (pod: Name) => names.indexOf(pod) + 1
  const pods: Pods<Name> = {
    netns,
    netnsPath: (pod) => `/run/netns/${netns(pod)}`,
    ip: (pod, family = 4) => (family === 4 ? `10.88.0.${octet(pod)}` : `fd88::${octet(pod)}`),
    async [Symbol.asyncDispose]() {
      for (const one of [...names.map(netns), hub]) await run('ip', ['netns', 'del', one])
    },
  }
  try {
    await ip(['netns', 'add', hub])
    await ip(['-n', hub, 'link', 'add', 'br0', 'type', 'bridge'])
    await ip(['-n', hub, 'link', 'set', 'br0', 'up'])
    for (const name of names) await addPod(pods, hub, name)
    for (const [name, address] of Object.entries(more)) {
      await ip(['-n', netns(name), 'address', 'add', `${address}/32`, 'dev', 'eth0'])
      for (const other of names.filter((one) => one !== name)) {
        await ip(['-n', netns(other), 'route', 'add', `${address}/32`, 'dev', 'eth0'])
      }
    }
    return pods
  } catch (error) {
    await pods[Symbol.asyncDispose]()
    throw error
  }
}

async function addPod<Name extends string>(
  pods: Pods<Name>,
  hub: string,
  name: Name,
): Promise<void> {
  const netns = pods.netns(name)
  const port = `to-${name}`
  await ip(['netns', 'add', netns])
  await ip(['-n', hub, 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', netns])
  await ip(['-n', hub, 'link', 'set', port, 'master', 'br0', 'up'])
  await ip(['-n', netns, 'address', 'add', `${pods.ip(name)}/24`, 'dev', 'eth0'])
  await ip(['-n', netns, 'address', 'add', `${pods.ip(name, 6)}/64`, 'dev', 'eth0', 'nodad'])
  for (const device of ['lo', 'eth0']) await ip(['-n', netns, 'link', 'set', device, 'up'])
}

async function ip(words: readonly string[]): Promise<void> {
  const { code, stderr } = await run('ip', words)
  if (code !== 0) throw new Error(`ip ${words.join(' ')}: ${stderr}`)
}
