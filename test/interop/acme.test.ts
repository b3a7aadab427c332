/**
 * Certificates by ACME from a real CA, which verifies every name by TLS-ALPN-01 on the very port that then shows the
 * certificate: of our bundle endpoint, which a real SPIRE server fetches from, and of our OIDC provider.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { expect } from 'vitest'
import { fromPem } from '../../spiffe/x509/pem.ts'
import { startServer, steeple } from '../processes/cluster.ts'
import { freePort } from '../processes/free-port.ts'
import { start, until } from '../processes/process.ts'
import { interop } from './interop.ts'
import { get, type Pebble, startPebble } from './pebble.ts'

/** What a listener shows to who asks for a name, and whether that is to be believed. */
function shown(port: number, servername: string, ca: string, ALPNProtocols = ['http/1.1']) {
  return new Promise<{ readonly serial: string; readonly isBelieved: boolean }>(
    (resolve, reject) => {
      const options = { host: '127.0.0.1', port, servername, ca, ALPNProtocols }
      const socket = connect({ ...options, rejectUnauthorized: false }, () => {
        const { serialNumber: serial } = socket.getPeerCertificate()
        socket.destroy()
        resolve({ serial, isBelieved: socket.authorized })
      })
      socket.once('error', reject)
    },
  )
}

const untilBelieved = (port: number, name: string, { roots }: Pebble) =>
  until(`a certificate of ${name}`, async () => {
    const seen = await shown(port, name, roots)
    return seen.isBelieved && seen
  })

const ordersOf = ({ process }: Pebble) => process.output().match(/Added order/g)?.length ?? 0

function endpoint(port: number, directoryUrl: string, terms = 'true'): string {
  return `federation { bundle_endpoint {
    address = "127.0.0.1"  port = ${port}
    profile "https_web" { acme {
      directory_url = "${directoryUrl}"  domain_name = "LocalHost"
      email = "ops@example.org"  tos_accepted = ${terms}
    } }
  } }`
}

interop(
  'a real SPIRE server federates with our endpoint, whose certificate the CA gave it',
  ['pebble', 'openssl', 'spire-server'],
  async () => {
    const port = await freePort()
    await using pebble = await startPebble({ tlsPort: port })
    process.env.SSL_CERT_FILE = pebble.rootsFile
    await using ours = await startServer('steeple', {
      trustDomain: 'ours.example',
      settings: endpoint(port, pebble.directoryUrl),
    })
    const first = await untilBelieved(port, 'localhost', pebble)
    await using theirs = await startServer('spire', {
      trustDomain: 'theirs.example',
      settings: `federation { federates_with "ours.example" {
        bundle_endpoint_url = "https://localhost:${port}/"
        bundle_endpoint_profile "https_web" {}
      } }`,
    })
    const wanted = async () => (await ours.cli('spire', 'bundle', 'show')).stdout
    const fetched = await until(
      'SPIRE to fetch our bundle',
      async () => {
        const list = ['bundle', 'list', '-id', 'spiffe://ours.example']
        const { code, stdout } = await theirs.cli('spire', ...list)
        return code === 0 && stdout
      },
      100_000,
    )
    expect(fromPem('CERTIFICATE', fetched)).toEqual(fromPem('CERTIFICATE', await wanted()))

    // What was obtained is kept: for its owner alone, and a restart orders nothing.
    const cache = join(ours.dir, 'bundle-acme')
    expect(readdirSync(cache).sort()).toEqual(['acme_account+key', 'localhost'])
    for (const name of readdirSync(cache)) {
      expect(statSync(join(cache, name)).mode & 0o777).toBe(0o600)
      expect(readFileSync(join(cache, name), 'utf8')).toMatch(/^-----BEGIN EC PRIVATE KEY-----/)
    }
    expect(ours.process().output()).not.toContain('PRIVATE KEY')
    await ours.restart()
    expect(await shown(port, 'localhost', pebble.roots)).toEqual(first)
    expect(ordersOf(pebble)).toBe(1)
    // Nobody verifies a name now: the proof is shown to nobody.
    await expect(shown(port, 'localhost', pebble.roots, ['acme-tls/1'])).rejects.toThrow(/alert/)
  },
)

interop(
  'what keeps the CA from giving a certificate is said in its own words',
  ['pebble', 'openssl'],
  async () => {
    const [port, elsewhere] = [await freePort(), await freePort()]
    await using pebble = await startPebble({ tlsPort: elsewhere })
    process.env.SSL_CERT_FILE = pebble.rootsFile
    for (const [terms, said] of [
      ['false', /the CA asks to accept its terms of service at .*set tos_accepted = true/],
      ['true', /the CA could not verify localhost: unauthorized: Failed to connect to 127/],
    ] as const) {
      const settings = endpoint(port, pebble.directoryUrl, terms)
      await using server = await startServer('steeple', { settings })
      await server.process().line(said)
      const { isBelieved } = await shown(port, 'localhost', pebble.roots)
      expect(isBelieved).toBe(false)
    }
    // A CA that nobody has said to believe is told nothing.
    delete process.env.SSL_CERT_FILE
    await using server = await startServer('steeple', {
      settings: endpoint(port, pebble.directoryUrl),
    })
    await server.process().line(/the ACME server at 127\.0\.0\.1:\d+: self-signed certificate/)
  },
)

interop(
  'the OIDC provider has a certificate for each of its domains, and one that fails harms no other',
  ['pebble', 'openssl'],
  async () => {
    const port = await freePort()
    await using pebble = await startPebble({ tlsPort: port, unknown: ['gone.test'] })
    process.env.SSL_CERT_FILE = pebble.rootsFile
    await using server = await startServer('steeple')
    const config = join(server.dir, 'oidc.conf')
    writeFileSync(
      config,
      `domains = ["gone.test", "a.test", "b.test"]
      acme {
        directory_url = "${pebble.directoryUrl}"  email = "ops@example.org"  tos_accepted = true
        addr = "127.0.0.1:${port}"  cache_dir = "${join(server.dir, 'acme')}"
      }
      server_api { address = "unix://${server.socket}" }`,
    )
    await using provider = start(steeple, ['oidc', 'run', '-config', config])
    await provider.line(/the CA could not verify gone\.test: .*gone\.test/)
    for (const name of ['a.test', 'b.test']) {
      await untilBelieved(port, name, pebble)
      const url = `https://127.0.0.1:${port}/.well-known/openid-configuration`
      expect(JSON.parse(await get(url, pebble.roots, name)).issuer).toBe(`https://${name}`)
    }
    expect((await shown(port, 'gone.test', pebble.roots)).isBelieved).toBe(false)
    expect(readdirSync(join(server.dir, 'acme')).sort()).toEqual([
      ...['a.test', 'acme_account+key', 'b.test'],
    ])
  },
)

interop(
  'a certificate is renewed at two thirds of its life, under a listener that goes on',
  ['pebble', 'openssl'],
  async () => {
    const port = await freePort()
    await using pebble = await startPebble({ tlsPort: port, lifetimeSeconds: 120 })
    process.env.SSL_CERT_FILE = pebble.rootsFile
    const settings = endpoint(port, pebble.directoryUrl)
    await using _server = await startServer('steeple', { settings })
    const first = await untilBelieved(port, 'localhost', pebble)
    const renewed = async () => {
      const seen = await shown(port, 'localhost', pebble.roots)
      return seen.isBelieved && seen.serial !== first.serial && seen
    }
    const second = await until('another certificate', renewed, 150_000)
    expect(second.isBelieved).toBe(true)
    expect(ordersOf(pebble)).toBe(2)
  },
)
