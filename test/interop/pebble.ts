/**
 * Pebble, the ACME server that Let's Encrypt tests clients with: it refuses some nonces, verifies every name by
 * TLS-ALPN-01 in truth, and signs with an authority that lives as long as it does.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../processes/free-port.ts'
import { type Running, run, start, until } from '../processes/process.ts'
import { peer } from './interop.ts'
import { startNameServer } from './name-server.ts'

export interface Pebble extends AsyncDisposable {
  readonly directoryUrl: string
  /** PEM of whom to believe: its own listener, and the authority that it signs with. */
  readonly roots: string
  /** A file of these roots, for SSL_CERT_FILE. */
  readonly rootsFile: string
  readonly process: Running
}

export interface PebbleOptions {
  /** Where names are verified, instead of port 443. */
  readonly tlsPort: number
  /** Names that cannot be found. */
  readonly unknown?: readonly string[]
  /** Of certificates; ninety days when left out. */
  readonly lifetimeSeconds?: number
}

export async function startPebble({
  tlsPort,
  unknown,
  lifetimeSeconds = 90 * 86_400,
}: PebbleOptions): Promise<Pebble> {
  const names = await startNameServer(unknown)
  const dir = mkdtempSync(join(tmpdir(), 'steeple-pebble-'))
  const at = (name: string) => join(dir, name)
  const made = await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-keyout', at('key.pem'), '-out', at('cert.pem'), '-days', '2', '-subj', '/CN=pebble'],
    ...['-addext', 'subjectAltName=IP:127.0.0.1'],
  ])
  if (made.code !== 0) throw new Error(made.stderr)
  const [port, managementPort] = [await freePort(), await freePort()]
  const pebble = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${managementPort}`,
    ...{ certificate: at('cert.pem'), privateKey: at('key.pem'), httpPort: 1, tlsPort },
    ...{ ocspResponderURL: '', externalAccountBindingRequired: false },
    retryAfter: { authz: 1, order: 1 },
    profiles: { default: { description: 'the only one', validityPeriod: lifetimeSeconds } },
  }
  writeFileSync(at('pebble.json'), JSON.stringify({ pebble }))
  const process = start(
    peer('pebble'),
    ['-strict', '-config', at('pebble.json'), '-dnsserver', names.address],
    {
      // What was verified once is verified again: a renewal proves as much as the first order.
      env: { PEBBLE_VA_NOSLEEP: '1', PEBBLE_VA_ALWAYS_VALID: '0', PEBBLE_AUTHZREUSE: '0' },
    },
  )
  const listener = readFileSync(at('cert.pem'), 'utf8')
  const directoryUrl = `https://127.0.0.1:${port}/dir`
  // It says that it listens a moment before it does.
  await until('Pebble to listen', async () => await get(directoryUrl, listener))
  const root = async () => await get(`https://127.0.0.1:${managementPort}/roots/0`, listener)
  const roots = listener + (await until('the root of Pebble', root))
  writeFileSync(at('roots.pem'), roots)
  return {
    ...{
      directoryUrl,
      roots,
      rootsFile: at('roots.pem'),
      process,
    },
    async [Symbol.asyncDispose]() {
      await process[Symbol.asyncDispose]()
      await names[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** The whole answer of an HTTPS server that is believed for these roots alone. */
export function get(url: string, ca: string, name?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const servername = name === undefined ? {} : { servername: name, headers: { host: name } }
    const sent = request(url, { ca, agent: false, ...servername }, (response) => {
      let text = ''
      response.on('data', (part) => {
        text += part
      })
      response.on('end', () => resolve(text))
    })
    sent.on('error', reject)
    sent.end()
  })
}
