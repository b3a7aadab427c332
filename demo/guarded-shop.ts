/**
 * Two proxies in front of programs that know nothing of identities: a policy file decides who may ask for what, and is
 * changed while they run.
 */
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { type Running, start, until } from '../test/processes/process.ts'

export interface GuardedShop extends AsyncDisposable {
  /** Through both proxies. @returns the status */
  ask(method: string): Promise<number>
  /** Replaces the policy. */
  allow(methods: readonly string[]): void
  /** Why the last request was refused, as the access log has it. */
  reason(): Promise<string>
}

export interface GuardedShopOptions {
  readonly dir: string
  readonly socket: string
  /** Makes a program of its own, which the agent knows by its path. */
  programFor(name: string): string
  register(name: string, id: string): Promise<void>
}

const CLI = join(import.meta.dirname, '..', 'cli', 'main.ts')

const policy = (methods: readonly string[]) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: customers-read, namespace: demo }
spec:
  rules:
  - from: [{ source: { principals: [demo.example/ns/demo/sa/customer] } }]
    to: [{ operation: { methods: [${methods.join(', ')}] } }]
`

export async function openGuardedShop(options: GuardedShopOptions): Promise<GuardedShop> {
  const { dir, socket } = options
  await using stack = new AsyncDisposableStack()
  const policies = join(dir, 'policies')
  mkdirSync(policies)
  const accessLog = join(dir, 'access.log')
  const allow = (methods: readonly string[]) =>
    writeFileSync(join(policies, 'customers.yaml'), policy(methods))
  allow(['GET'])
  const shop = createServer((_request, response) => response.end('bread\n'))
  shop.listen(0, '127.0.0.1')
  stack.defer(() => {
    shop.close()
    shop.closeAllConnections()
  })
  await once(shop, 'listening')
  const own = shop.address()
  const shopPort = typeof own === 'string' ? undefined : own?.port
  const proxy = async (name: string, settings: string): Promise<[Running, string]> => {
    const config = join(dir, `${name}.conf`)
    writeFileSync(config, `proxy {\n  workload_api_socket = "${socket}"\n${settings}\n}\n`)
    const program = options.programFor(name)
    await options.register(name, `spiffe://demo.example/ns/demo/sa/${name}`)
    const running = stack.use(start(program, [CLI, 'proxy', 'run', '-config', config]))
    const [, address = ''] = await running.line(/Listening.*address="?([0-9.]+:\d+)/)
    return [running, address]
  }
  const [, guarded] = await proxy(
    'shop',
    `  policy_dir = "${policies}"
  access_log = "${accessLog}"
  inbound "web" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:${shopPort}" }`,
  )
  const [, address] = await proxy(
    'customer',
    `  outbound "shop" {
    listen = "127.0.0.1:0"  upstream = "${guarded}"
    authorize = ["spiffe://demo.example/ns/demo/sa/shop"]
  }`,
  )
  const ask = async (method: string) => {
    const answer = await fetch(`http://${address}/bread`, { method })
    await answer.arrayBuffer()
    return answer.status
  }
  await until('the shop to be open', async () => (await ask('GET')) === 200)
  const opened = stack.move()
  return {
    ask,
    allow,
    async reason() {
      const refused = await until('the refusal in the access log', async () =>
        readFileSync(accessLog, 'utf8')
          .split('\n')
          .slice(0, -1) // what comes after the last line break is still being written
          .map((line) => JSON.parse(line))
          .findLast(({ status }) => status === 403),
      )
      return `${refused.source_identity} ${refused.method} ${refused.path}: ${refused.reason}`
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
