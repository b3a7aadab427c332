/** The server port under its options, ours and SPIRE's beside each other: PROXY headers, key exchange, and a reload. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect } from 'node:tls'
import { afterAll, expect } from 'vitest'
import { fingerprintOf } from '../../server/attest/x509pop-selectors.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { toPem } from '../../spiffe/x509/pem.ts'
import { testCa } from '../fakes/ca.ts'
import { type Server, startAgent, startServer } from '../processes/cluster.ts'
import { interop, type Peer } from './interop.ts'

const dir = mkdtempSync(join(tmpdir(), 'steeple-port-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const NEEDS: readonly Peer[] = ['spire-server', 'spire-agent']
const KINDS = ['spire', 'steeple'] as const

/** Whether TLS comes about on a connection that begins with these bytes. */
async function secures(
  { port }: Server,
  first: string | Buffer,
  options: ConnectionOptions = {},
): Promise<boolean> {
  const socket = connectTcp(port, '127.0.0.1')
  socket.on('error', () => {})
  if (first.length > 0) socket.write(first)
  const secured = connect({ socket, rejectUnauthorized: false, ALPNProtocols: ['h2'], ...options })
  const over = new AbortController()
  const failed = () => over.abort()
  secured.on('error', failed).on('close', failed)
  try {
    await once(secured, 'secureConnect', { signal: over.signal })
    return true
  } catch {
    return false
  } finally {
    secured.destroy()
  }
}

const V1 = 'PROXY TCP4 203.0.113.9 198.51.100.7 4711 443\r\n'
const V2 = Buffer.concat([
  Buffer.from('\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c', 'latin1'),
  Buffer.from('cb0071091234567812670001', 'hex'),
])
const LOCAL = Buffer.from('\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00', 'latin1')

for (const kind of KINDS) {
  interop(
    `a ${kind} server takes PROXY headers from balancers it trusts, and from nobody else`,
    NEEDS,
    async () => {
      await using trusting = await startServer(kind, {
        settings: 'proxy_protocol_trusted_cidrs = ["127.0.0.0/8"]',
      })
      for (const header of ['', V1, V2, LOCAL, 'PROXY UNKNOWN\r\n']) {
        expect(await secures(trusting, header), JSON.stringify(header)).toBe(true)
      }
      for (const header of [
        'PROXY TCP4 here there 1 2\r\n',
        'PROXY\r\n',
        'GET / HTTP/1.1\r\n\r\n',
      ]) {
        expect(await secures(trusting, header), header).toBe(false)
      }
      await using wary = await startServer(kind, {
        settings: 'proxy_protocol_trusted_cidrs = ["192.0.2.0/24"]',
      })
      expect(await secures(wary, '')).toBe(true)
      for (const header of [V1, V2]) expect(await secures(wary, header)).toBe(false)
    },
  )

  interop(`a ${kind} server with require_pq_kem takes no other key exchange`, NEEDS, async () => {
    await using server = await startServer(kind, {
      settings: 'experimental { require_pq_kem = true }',
    })
    for (const ecdhCurve of ['X25519MLKEM768', 'SecP256r1MLKEM768', 'SecP384r1MLKEM1024']) {
      expect(await secures(server, '', { ecdhCurve }), ecdhCurve).toBe(true)
    }
    // SPIRE 1.15.3 leaves this one port out, and takes the others here.
    const others = kind === 'spire'
    for (const ecdhCurve of ['X25519', 'P-256', 'P-384']) {
      expect(await secures(server, '', { ecdhCurve }), ecdhCurve).toBe(others)
    }
    expect(await secures(server, '', { maxVersion: 'TLSv1.2' })).toBe(false)
    // And the other one's agent, which insists on it too.
    const other = kind === 'spire' ? 'steeple' : 'spire'
    await using _agent = await startAgent(other, server, {
      settings: 'experimental { require_pq_kem = true }',
    })
  })

  interop(
    `a ${kind} server reads a plugin_data_file again when it gets SIGUSR1`,
    NEEDS,
    async () => {
      const hour = 3_600_000
      const now = systemClock.now().getTime()
      const life = { notBefore: new Date(now - hour), notAfter: new Date(now + hour), uriSans: [] }
      const [before, after] = await Promise.all([testCa(life), testCa(life)])
      const data = join(dir, `${kind}.conf`)
      const use = (name: string, ca: typeof before) => {
        writeFileSync(join(dir, name), toPem('CERTIFICATE', ca.certificate))
        writeFileSync(data, `ca_bundle_path = "${join(dir, name)}"`)
      }
      use(`${kind}-before.pem`, before)
      const node = await after.leaf('', { ...life, extKeyUsage: undefined })
      writeFileSync(join(dir, `${kind}.pem`), toPem('CERTIFICATE', node.certificate))
      writeFileSync(join(dir, `${kind}.key`), node.key.export({ type: 'pkcs8', format: 'pem' }))
      await using server = await startServer(kind, {
        nodeAttestor: `NodeAttestor "x509pop" { plugin_data_file = "${data}" }`,
      })
      use(`${kind}-after.pem`, after)
      server.process().kill('SIGUSR1')
      await using _agent = await startAgent('spire', server, {
        nodeAttestor: {
          block: `NodeAttestor "x509pop" { plugin_data {
          certificate_path = "${dir}/${kind}.pem" private_key_path = "${dir}/${kind}.key"
        } }`,
          id: `spiffe://example.org/spire/agent/x509pop/${fingerprintOf({ der: node.certificate })}`,
        },
      })
      expect(server.process().output()).not.toContain('Debugger listening')
    },
  )
}
