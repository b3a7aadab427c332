/** The docker attestor against an engine's API on a real Unix socket, which says what a test wants. */
import { chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { compileMatchers, matchContainer } from '../../../../agent/attest/docker/cgroup-matchers.ts'
import {
  type DockerAttestorOptions,
  dockerAttestor,
  socketFor,
} from '../../../../agent/attest/docker/docker-attestor.ts'
import { openEngine } from '../../../../agent/attest/docker/engine.ts'
import type { UnixCaller } from '../../../../proto/peer-credentials.ts'
import type { Clock } from '../../../../spiffe/clock.ts'
import { IdentityError } from '../../../../spiffe/error.ts'

const ID = '6469646e742065787065637420616e796f6e6520746f20726561642074686973'
const OTHER_ID = '41e4ab61d2860b0e1467de0da0a9c6068012761febec402dc04a5a94f32ea867'
const DIGEST = `sha256:${OTHER_ID}`
const PID = 123
const caller: UnixCaller = { kind: 'unix', pid: PID, uid: 0, gid: 0, isAlive: () => true }
const { signal } = new AbortController()

/** Sleeps are over at once when they are for a retry, and never when they bound a request. */
const slept: number[] = []
const clock: Clock = {
  now: () => new Date('2026-01-01'),
  async sleep(ms, stop) {
    if (ms < 10_000) slept.push(ms)
    else await new Promise<void>((resolve) => stop?.addEventListener('abort', () => resolve()))
  },
}

const opened: (() => void)[] = []
afterEach(() => {
  slept.length = 0
  for (const close of opened.splice(0)) close()
})

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'docker-'))
  opened.push(() => rmSync(dir, { recursive: true }))
  return dir
}

async function serve(answer: RequestListener, name = 'docker.sock'): Promise<string> {
  const path = join(folder(), name)
  const server = createServer(answer).listen(path)
  await new Promise((resolve) => server.once('listening', resolve))
  opened.unshift(() => {
    server.closeAllConnections()
    server.close()
  })
  return path
}

/** Path → what is answered there; anything else is not found. */
function engine(answers: Readonly<Record<string, unknown>>, asked: string[] = []): RequestListener {
  return (request, response) => {
    const path = request.url ?? ''
    asked.push(path)
    const answer = answers[path]
    response.writeHead(answer === undefined ? 404 : 200)
    const missing = { message: `No such container: ${path}` }
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer ?? missing))
  }
}

const container = (config: unknown = {}, id = ID) => ({ Id: id, Config: config })
const CONFIG = {
  Image: 'shop/cart:1',
  Labels: { 'com.example.name': 'cart', empty: '' },
  Env: ['MODE=prod', 'PATH=/bin:/sbin'],
}

function proc(cgroup: string, userNamespace = 'user:[1]'): string {
  const dir = folder()
  for (const [process, namespace] of [
    [String(PID), userNamespace],
    ['self', 'user:[1]'],
  ] as const) {
    mkdirSync(join(dir, process, 'ns'), { recursive: true })
    symlinkSync(namespace, join(dir, process, 'ns', 'user'))
  }
  writeFileSync(join(dir, String(PID), 'cgroup'), cgroup)
  writeFileSync(join(dir, String(PID), 'mountinfo'), '')
  return dir
}

function attestor(cgroup: string, options: Partial<DockerAttestorOptions>, apiVersion?: string) {
  const all = {
    dockerSocketPath: '/nowhere/docker.sock',
    podmanSocketPath: '/nowhere/podman.sock',
    userPodmanSocketPath: (uid: number) => `/nowhere/${uid}.sock`,
    matchers: undefined,
    ...options,
  }
  const { attest } = dockerAttestor(all, {
    engineAt: (socketPath) => openEngine({ socketPath, apiVersion, clock }),
    files: { proc: proc(cgroup), verboseLog: undefined },
    clock,
  })
  return () => attest(caller, signal)
}

const IN_DOCKER = `4:devices:/docker/${ID}\n0::/\n`

test('tells labels, environment, image and digest of a container', async () => {
  const asked: string[] = []
  const answers = {
    [`/containers/${ID}/json`]: container(CONFIG),
    '/images/shop/cart%3A1/json': { Id: DIGEST },
  }
  const dockerSocketPath = await serve(engine(answers, asked))
  expect(await attestor(IN_DOCKER, { dockerSocketPath })()).toEqual([
    'docker:label:com.example.name:cart',
    'docker:label:empty:',
    'docker:env:MODE=prod',
    'docker:env:PATH=/bin:/sbin',
    'docker:image_id:shop/cart:1',
    `docker:image_config_digest:${DIGEST}`,
  ])
  expect(asked).toHaveLength(2)
})

test('asks for the version of the API that is configured', async () => {
  const answers = { [`/v1.44/containers/${ID}/json`]: container({}) }
  const dockerSocketPath = await serve(engine(answers))
  expect(await attestor(IN_DOCKER, { dockerSocketPath }, '1.44')()).toEqual([])
})

test('an image that the engine does not know has no digest, and costs nothing else', async () => {
  const dockerSocketPath = await serve(engine({ [`/containers/${ID}/json`]: container(CONFIG) }))
  const selectors = await attestor(IN_DOCKER, { dockerSocketPath })()
  expect(selectors).toContain('docker:image_id:shop/cart:1')
  expect(selectors.filter((one) => one.includes('digest'))).toEqual([])
})

test('a process in no container gets no selectors, and no engine is asked', async () => {
  expect(await attestor('0::/system.slice/ssh.service\n', {})()).toEqual([])
})

test('a container that the engine does not know yet is asked for again, four times in all', async () => {
  const asked: string[] = []
  const dockerSocketPath = await serve(engine({}, asked))
  await expect(attestor(IN_DOCKER, { dockerSocketPath })()).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringMatching(/answered GET \/containers.* with 404: .*No such container/),
  })
  expect(asked).toHaveLength(4)
  expect(slept).toEqual([100, 200, 400])
})

test.for([
  ['another container', container(CONFIG, OTHER_ID), /answered with container 41e4/],
  ['no container', {}, /container without ID/],
  ['a container without configuration', { Id: ID, Config: null }, /without a Config/],
  ['what is no JSON', '<html>', /not valid JSON/],
  ['more than anybody needs', ' '.repeat(9 * 1024 * 1024), /more than 8388608 bytes/],
] as const)('refuses an engine that answers with %s', async ([, answer, message]) => {
  const dockerSocketPath = await serve(engine({ [`/containers/${ID}/json`]: answer }))
  await expect(attestor(IN_DOCKER, { dockerSocketPath })()).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(message),
  })
})

test('an engine that is not there is named by its socket', async () => {
  await expect(attestor(IN_DOCKER, {})()).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(/container engine at \/nowhere\/docker.sock: .*ENOENT/),
  })
})

test('two containers on one process are refused', async () => {
  const cgroup = `4:devices:/docker/${ID}\n5:cpu:/docker/${OTHER_ID}\n`
  await expect(attestor(cgroup, {})()).rejects.toMatchObject({
    message: `multiple container IDs found (${ID}, ${OTHER_ID})`,
  })
})

const sockets = {
  dockerSocketPath: 'docker',
  podmanSocketPath: 'podman',
  userPodmanSocketPath: (uid: number) => `podman of ${uid}`,
}

test.for([
  ['Docker', `/docker/${ID}`, 'docker', undefined],
  ['Docker under systemd', `/system.slice/docker-${ID}.scope`, 'docker', undefined],
  ['Podman of root', `/machine.slice/libpod-${ID}.scope`, 'podman', undefined],
  [
    'Podman of a user',
    `/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope`,
    'podman of 1000',
    1000,
  ],
  [
    'Podman of a user, cgroupfs driver',
    `/user.slice/user-2000.slice/user@2000.service/user.slice/libpod/${ID}`,
    'podman of 2000',
    2000,
  ],
  ['Docker of a user', `/user.slice/user-7.slice/docker-${ID}.scope`, 'docker', 7],
] as const)('asks the right engine: %s', ([, path, socket, owner]) => {
  expect(socketFor(['/', path], ID, sockets)).toEqual({ path: socket, owner })
})

test.for([
  ['a user ID that cannot be', [`/user.slice/user-4294967296.slice/x/libpod-${ID}.scope`]],
  ['two users', [`/user.slice/user-1.slice/x/${ID}`, `/user.slice/user-2.slice/x/${ID}`]],
] as const)('refuses control groups of %s', ([, paths]) => {
  expect(() => socketFor(paths, ID, sockets)).toThrow(
    expect.objectContaining({ code: 'ATTESTATION_FAILED' }),
  )
})

const asUser = (uid: number) =>
  `0::/user.slice/user-${uid}.slice/user@${uid}.service/docker-${ID}.scope\n`

test('a user who names a control group after a container of root’s Docker is refused', async () => {
  const asked: string[] = []
  const dockerSocketPath = await serve(engine({ [`/containers/${ID}/json`]: container() }, asked))
  const uid = (process.getuid?.() ?? 0) + 1000
  await expect(attestor(asUser(uid), { dockerSocketPath })()).rejects.toMatchObject({
    code: 'ATTESTATION_FAILED',
    message: expect.stringMatching(/lies in user-\d+\.slice, and the socket .* belongs to user/),
  })
  expect(asked).toEqual([])
})

test('a user’s own engine is asked for that user’s containers', async () => {
  const podman = await serve(engine({ [`/containers/${ID}/json`]: container(CONFIG) }))
  const uid = process.getuid?.() === 0 ? 1000 : (process.getuid?.() ?? 0)
  if (process.getuid?.() === 0) chownSync(podman, uid, uid)
  const cgroup = asUser(uid).replace('docker-', 'libpod-')
  const selectors = await attestor(cgroup, { userPodmanSocketPath: () => podman })()
  expect(selectors).toContain('docker:env:MODE=prod')
})

test('a user’s engine that is not there is a refusal', async () => {
  const cgroup = asUser(1000).replace('docker-', 'libpod-')
  await expect(attestor(cgroup, {})()).rejects.toMatchObject({
    message: expect.stringMatching(/the socket \/nowhere\/1000.sock is not there/),
  })
})

test.for([
  ['the ID at the end', ['/docker/<id>'], `/docker/${ID}`, ID],
  ['any name before and after', ['/my.slice/*/<id>/*'], '/my.slice/a/b/c', 'b'],
  ['of several patterns the one that fits', ['/docker/*/<id>', '/docker/<id>'], '/docker/x', 'x'],
  ['none', ['/docker/*/<id>'], `/docker/${ID}`, undefined],
  ['no dots as wildcards', ['/my.slice/<id>'], '/myxslice/a', undefined],
] as const)('matchers find %s', ([, patterns, path, id]) => {
  expect(matchContainer(compileMatchers(patterns), ['/', path])).toBe(id)
})

test('matchers refuse an empty ID and two of them', () => {
  const matchers = compileMatchers(['/docker/<id>'])
  expect(() => matchContainer(matchers, ['/docker/'])).toThrow(/no container id was found/)
  expect(() => matchContainer(matchers, ['/docker/a', '/docker/b'])).toThrow(/multiple container/)
})

test('of matchers that are accepted no two fit one path', () => {
  const name = fc.constantFrom('a', 'b', '*', '<id>')
  const pattern = fc.array(name, { maxLength: 4 }).map((names) => ['', ...names].join('/'))
  const path = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 4 })
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 4 }), path, (patterns, names) => {
      try {
        compileMatchers(patterns)
      } catch (error) {
        expect(error).toBeInstanceOf(IdentityError)
        return
      }
      const whole = ['', ...names].join('/')
      const fitting = patterns.filter(
        (one) => matchContainer(compileMatchers([one]), [whole]) !== undefined,
      )
      expect(fitting.length).toBeLessThanOrEqual(1)
    }),
  )
})

test('with matchers a container is found where they say', async () => {
  const dockerSocketPath = await serve(engine({ [`/containers/${ID}/json`]: container(CONFIG) }))
  const matchers = compileMatchers(['/docker/<id>'])
  expect(await attestor(IN_DOCKER, { dockerSocketPath, matchers })()).toContain(
    'docker:image_id:shop/cart:1',
  )
  const elsewhere = `4:devices:/engine/${ID}\n`
  expect(await attestor(elsewhere, { dockerSocketPath, matchers })()).toEqual([])
})
