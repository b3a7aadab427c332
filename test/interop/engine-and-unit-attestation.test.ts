/**
 * The attestors docker and systemd of SPIRE's agent and of ours, of the same processes, from the same engine and the same
 * message bus: an engine that answers as Docker does, and a real dbus-daemon with a service that answers as systemd does.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isInstalled, type Running, start } from '../processes/process.ts'
import { type AttestationPair, noPair, startPair } from './attestation-pair.ts'
import { serveAsSystemd, type Unit } from './fake-systemd.ts'

const ID = 'd0c4e700d5fa610783847915bcff0ecac1273e5b4bed3f6fa1b07350e0135961'
const UNKNOWN = '7'.repeat(64)

function skipped(what: string, why: string | undefined): boolean {
  if (why !== undefined) process.stderr.write(`SKIPPED ${what}: ${why}\n`)
  return why !== undefined
}

const noBus = isInstalled('dbus-daemon') ? undefined : 'needs dbus-daemon (apt install dbus)'

describe.skipIf(skipped('docker side by side', noPair()))('docker', () => {
  const dir = mkdtempSync(join(tmpdir(), 'engine-'))
  const socketPath = join(dir, 'docker.sock')
  const asked: string[] = []
  const engine = createServer((request, response) => {
    const path = (request.url ?? '').replace(/^\/v[\d.]+/, '')
    asked.push(path)
    const body = ANSWERS[decodeURIComponent(path)]
    response.setHeader('Api-Version', '1.47')
    response.setHeader('content-type', 'application/json')
    response.writeHead(body === undefined && path !== '/_ping' ? 404 : 200)
    response.end(path === '/_ping' ? 'OK' : JSON.stringify(body ?? { message: 'no such thing' }))
  })
  let pair: AttestationPair

  beforeAll(async () => {
    engine.listen(socketPath)
    await new Promise((resolve) => engine.once('listening', resolve))
    pair = await startPair(
      'docker',
      `WorkloadAttestor "docker" { plugin_data { docker_socket_path = "unix://${socketPath}" } }`,
    )
  })
  afterAll(async () => {
    await pair?.[Symbol.asyncDispose]()
    engine.close()
    rmSync(dir, { recursive: true })
  })

  test.for([
    ['cgroupfs driver', `/docker/${ID}`],
    ['systemd driver', `/system.slice/docker-${ID}.scope`],
    ['a container in a container', `/docker/${UNKNOWN}/docker/${ID}`],
  ] as const)('both find a container: %s', async ([, path]) => {
    const [spire, ours] = await pair.found([path])
    expect(ours).toEqual(spire)
    expect(ours).toEqual([
      'docker:env:MODE=prod',
      'docker:env:PATH=/bin',
      `docker:image_config_digest:sha256:${ID}`,
      'docker:image_id:registry.example/shop/cart:1',
      'docker:label:com.example.name:cart',
      'docker:label:empty:',
    ])
  })

  test.for([
    ['a service of the machine', `/system.slice/k2.service`],
    ['a container that the engine has not', `/docker/${UNKNOWN}`],
  ] as const)('neither finds a container for %s', async ([, path]) => {
    expect(await pair.found([path])).toEqual([[], []])
  })

  test('ours alone refuses a user who names his own group after a container of the machine’s Docker', async () => {
    const [spire, ours] = await pair.found([`/user.slice/user-1000.slice/x/docker-${ID}.scope`])
    expect(spire).toContain('docker:env:MODE=prod')
    expect(ours).toEqual([])
    expect(pair.ours.process().output()).toContain('lies in user-1000.slice')
  })
})

const ANSWERS: Readonly<Record<string, unknown>> = {
  [`/containers/${ID}/json`]: {
    Id: ID,
    Config: {
      Image: 'registry.example/shop/cart:1',
      Labels: { 'com.example.name': 'cart', empty: '' },
      Env: ['MODE=prod', 'PATH=/bin'],
    },
  },
  '/images/registry.example/shop/cart:1/json': { Id: `sha256:${ID}` },
}

describe.skipIf(skipped('systemd side by side', noPair() ?? noBus))('systemd', () => {
  const dir = mkdtempSync(join(tmpdir(), 'bus-'))
  const busPath = join(dir, 'bus')
  let daemon: Running
  let systemd: Disposable
  let unit: Unit | undefined
  let pair: AttestationPair

  beforeAll(async () => {
    const address = `unix:path=${busPath}`
    daemon = start('dbus-daemon', [
      ...['--session', '--nofork', '--nopidfile', '--print-address', `--address=${address}`],
    ])
    await daemon.line(/^unix:path=/)
    systemd = await serveAsSystemd(busPath, () => unit)
    env.DBUS_SYSTEM_BUS_ADDRESS = address
    pair = await startPair('systemd', 'WorkloadAttestor "systemd" { }')
  })
  afterAll(async () => {
    delete env.DBUS_SYSTEM_BUS_ADDRESS
    await pair?.[Symbol.asyncDispose]()
    systemd?.[Symbol.dispose]()
    await daemon?.[Symbol.asyncDispose]()
    rmSync(dir, { recursive: true })
  })

  test.for([
    ['a service', { id: 'nginx.service', fragmentPath: '/lib/systemd/system/nginx.service' }],
    ['a unit without a file', { id: 'session-2.scope', fragmentPath: '' }],
    ['a unit whose name has other letters', { id: 'k\\x2dü@1.service', fragmentPath: '/ü' }],
  ] as const)('both find %s', async ([, of]) => {
    unit = of
    const [spire, ours] = await pair.found(['/k2-service'])
    expect(ours).toEqual(spire)
    expect(ours).toEqual([`systemd:fragment_path:${of.fragmentPath}`, `systemd:id:${of.id}`])
  })

  test('neither finds a unit for a process that belongs to none', async () => {
    unit = undefined
    expect(await pair.found(['/k2-service'])).toEqual([[], []])
    expect(pair.ours.process().output()).toMatch(/failed to get unit by pid \d+: .*NoUnitForPID/)
  })
})
