/**
 * `npm run demo`: a server, an agent and two services as real processes, in plain words and with measured times.
 * Ends with 0 only if every step really happened.
 */
import { copyFileSync, linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { steeple } from '../test/processes/cluster.ts'
import { freePort } from '../test/processes/free-port.ts'
import { type Running, run, start, until } from '../test/processes/process.ts'
import { type Arrivals, watchArrivals } from './arrivals.ts'
import { agentConf, serverConf } from './conf.ts'
import { openGuardedShop } from './guarded-shop.ts'

const ENTRIES = 50
const root = join(import.meta.dirname, '..')
const dir = mkdtempSync(join(tmpdir(), 'steeple-demo-'))
const sockets = { admin: join(dir, 'admin.sock'), workload: join(dir, 'public', 'api.sock') }
const began = performance.now()

let step = 0
function say(text: string): void {
  console.log(`${++step}. ${text}`)
}
const detail = (text: string) => console.log(`   ${text}`)
const ms = (since: number) => `${Math.round(performance.now() - since)} ms`
const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(1)} s`

async function command(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(steeple, words)
  if (code !== 0)
    throw new Error(`steeple ${words.join(' ')} ended with ${code}: ${stdout}${stderr}`)
  return stdout
}
const server = (...words: readonly string[]) =>
  command('server', ...words, '-socketPath', sockets.admin)

/** A program of its own: the agent tells workloads apart by their path. */
function programFor(name: string): string {
  const path = join(dir, name)
  try {
    linkSync(process.execPath, path)
  } catch {
    copyFileSync(process.execPath, path) // another file system
  }
  return path
}

function service(program: string, source: string, ...args: readonly string[]): Running {
  const env = { SPIFFE_ENDPOINT_SOCKET: `unix://${sockets.workload}` }
  return start(program, [join(root, 'demo', source), ...args], { env })
}

const lineOf = async (running: Running, event: string) =>
  JSON.parse((await running.line(new RegExp(`"event":"${event}"`))).input ?? '{}')

async function register(
  agentId: string,
  name: string,
  spiffeId = `spiffe://demo.example/${name}`,
): Promise<void> {
  await server(
    ...['entry', 'create', '-parentID', agentId, '-spiffeID', spiffeId],
    ...['-selector', `unix:path:${join(dir, name)}`],
  )
}

async function startServer(): Promise<Running> {
  const since = performance.now()
  writeFileSync(
    join(dir, 'server.conf'),
    serverConf({ dir, port: await freePort(), socket: sockets.admin }),
  )
  const running = start(steeple, ['server', 'run', '-config', join(dir, 'server.conf')])
  await until('the server', async () => (await server('healthcheck')) !== '')
  say(
    `The server is up after ${ms(since)}: it made a CA and a JWT key for the trust domain demo.example.`,
  )
  return running
}

async function startAgent(): Promise<{ running: Running; id: string }> {
  writeFileSync(join(dir, 'bundle.pem'), await server('bundle', 'show'))
  const token = (await server('token', 'generate')).match(/Token: (\S+)/)?.[1] ?? ''
  const config = join(dir, 'agent.conf')
  writeFileSync(
    config,
    agentConf({ dir, serverConf: join(dir, 'server.conf'), socket: sockets.workload }),
  )
  const since = performance.now()
  const running = start(steeple, ['agent', 'run', '-config', config, '-joinToken', token])
  await running.line(/Node attestation was successful|SVID is stored|attested/i)
  const attested = ms(since)
  await until(
    'the agent',
    async () => (await command('agent', 'healthcheck', '-socketPath', sockets.workload)) !== '',
  )
  say(
    `The agent proved itself with a join token ${attested} after it was started, and serves the Workload API.`,
  )
  return { running, id: `spiffe://demo.example/spire/agent/join_token/${token}` }
}

async function startServices(agentId: string): Promise<{ greeter: Running; caller: Running }> {
  const [greeterProgram, callerProgram] = [programFor('greeter'), programFor('caller')]
  const greeter = service(greeterProgram, 'greeter.ts')
  const since = performance.now()
  await register(agentId, 'greeter')
  const { id } = await lineOf(greeter, 'svid')
  say(
    `A service asked for an identity, and got ${id} ${ms(since)} after an operator registered its path.`,
  )
  const { port } = await lineOf(greeter, 'listening')
  await register(agentId, 'caller')
  const caller = service(callerProgram, 'caller.ts', String(port))
  const { text } = await lineOf(caller, 'answer')
  say(
    'A second service called the first over mutual TLS, with an X509-SVID and a JWT-SVID. The answer:',
  )
  detail(text)
  return { greeter, caller }
}

async function refuseStranger(greeter: Running): Promise<void> {
  const stranger = await run(steeple, [
    'agent',
    'api',
    'fetch',
    'x509',
    '-socketPath',
    sockets.workload,
  ])
  if (
    stranger.code === 0 ||
    !`${stranger.stdout}${stranger.stderr}`.includes('no identity issued')
  ) {
    throw new Error(`a program without an entry got an identity: ${stranger.stdout}`)
  }
  const { port } = await lineOf(greeter, 'listening')
  const script = `require('node:tls').connect({ port: ${port}, host: '127.0.0.1', rejectUnauthorized: false }).on('error', () => {}).on('close', () => {})`
  await run(process.execPath, ['-e', script])
  const { message } = await lineOf(greeter, 'refused')
  say(
    'A program that nobody registered gets "no identity issued"; and without an SVID the service refuses it:',
  )
  detail(message)
}

async function measureEntries(agentId: string, arrivals: Arrivals): Promise<void> {
  const times: number[] = []
  for (let n = 0; n < ENTRIES; n++) times.push(await arrivals.create(agentId, `/entry/${n}`))
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(0)
  say(
    `${ENTRIES} entries were created one by one; each SVID reached the workload's open stream ${at(0.5)} ms later (median; worst ${(sorted.at(-1) ?? 0).toFixed(0)} ms).`,
  )
}

async function enforce(agentId: string): Promise<void> {
  await using shop = await openGuardedShop({
    ...{ dir, programFor, socket: sockets.workload },
    register: (name, id) => register(agentId, name, id),
  })
  if ((await shop.ask('POST')) !== 403) throw new Error('a request that no rule allows got through')
  say(
    'Two proxies stand between programs that know nothing of identities; the policy says GET. A POST gets 403:',
  )
  detail(await shop.reason())
  const since = performance.now()
  shop.allow(['GET', 'POST'])
  await until('the new policy', async () => (await shop.ask('POST')) === 200)
  say(`The policy file now says POST as well; the first one got through ${ms(since)} later.`)
}

interface Report {
  readonly calls: number
  readonly failures: number
  readonly svids: number
  readonly lastFailure: string
  readonly signer: string
}

async function rotation(caller: Running, greeter: Running): Promise<void> {
  const reports = () =>
    caller
      .output()
      .split('\n')
      .filter((line) => line.includes('"event":"report"'))
      .map((line): Report => JSON.parse(line))
  const since = performance.now()
  const first = await until('a first report', async () => reports()[0])
  const next = await until(
    'another CA',
    async () => reports().find(({ signer }) => signer !== first.signer),
    60_000,
  )
  const last = await until('calls under the new CA', async () =>
    reports().find(({ calls }) => calls > next.calls + 100),
  )
  if (last.failures > 0) {
    const said = `${caller.output()}\n${greeter.output()}`
    throw new Error(`${last.failures} calls failed: ${last.lastFailure}\n${said}`)
  }
  say(
    `The CA rotated (its life is 30 s in this demo); waiting for it took ${seconds(since)}. Meanwhile:`,
  )
  detail(
    `${last.calls} calls on kept and on new connections, ${last.failures} failed; ${last.svids} SVIDs followed each other, no restart`,
  )
}

async function main(): Promise<void> {
  await using stack = new AsyncDisposableStack()
  stack.defer(() => rmSync(dir, { recursive: true, force: true }))
  mkdirSync(join(dir, 'data'), { recursive: true })
  stack.use(await startServer())
  const { running, id } = await startAgent()
  stack.use(running)
  const { greeter, caller } = await startServices(id)
  stack.use(greeter)
  stack.use(caller)
  await refuseStranger(greeter)
  const arrivals = stack.use(
    await watchArrivals({
      ...sockets,
      trustDomain: 'demo.example',
      agentId: id,
      selector: { type: 'unix', value: `path:${process.execPath}` },
    }),
  )
  await measureEntries(id, arrivals)
  await enforce(id)
  await rotation(caller, greeter)
  for (const one of [caller, greeter]) {
    one.kill('SIGTERM')
    const how = await one.ended
    if (how !== 0) throw new Error(`a service ended with ${how}:\n${one.output()}`)
  }
}

await main()
say(`Done in ${seconds(began)}; nothing is left behind. To play with it: ./steeple dev`)
