/**
 * Our OIDC discovery provider beside SPIRE's, at the same server with the same configuration: the same answers. And a
 * stock OpenID library that checks a JWT-SVID with nothing but what discovery told it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { afterAll, expect } from 'vitest'
import { type Server, startAgent, startServer, steeple } from '../processes/cluster.ts'
import { freePort } from '../processes/free-port.ts'
import { start, until } from '../processes/process.ts'
import { interop, peer } from './interop.ts'

const dir = mkdtempSync(join(tmpdir(), 'steeple-oidc-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

interface Reply {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

function ask(port: number, path: string, host: string, method = 'GET', more = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, path, method, headers: { host, ...more } },
      (response) => {
        let body = ''
        response.on('data', (part) => {
          body += part
        })
        response.on('end', () =>
          resolve({ status: response.statusCode, headers: response.headers, body }),
        )
      },
    )
    sent.on('error', reject)
    sent.end()
  })
}

async function provider(kind: 'steeple' | 'spire', config: (port: number) => string) {
  const port = await freePort()
  const path = join(dir, `${kind}-${port}.conf`)
  writeFileSync(path, config(port))
  const running =
    kind === 'steeple'
      ? start(steeple, ['oidc', 'run', '-config', path])
      : start(peer('oidc-discovery-provider'), ['-config', path])
  await until(
    `${kind} to serve`,
    async () => (await ask(port, '/', 'x').catch(() => undefined)) !== undefined,
  )
  return { port, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() }
}

const QUESTIONS = [
  ['/.well-known/openid-configuration', 'oidc.example.org'],
  ['/.well-known/openid-configuration', 'oidc.example.org:99'],
  ['/.well-known/openid-configuration', 'OIDC.example.org'],
  ['/.well-known/openid-configuration', 'evil.org'],
  ['/.well-known/openid-configuration', 'oidc.example.org', 'GET', { 'x-forwarded-host': 'b.org' }],
  ['/.well-known/openid-configuration', 'b.org', 'GET', { 'x-forwarded-proto': 'https' }],
  ['/.well-known/openid-configuration', 'b.org', 'GET', { 'x-forwarded-host': 'evil.org' }],
  ['/.well-known/openid-configuration', 'b.org', 'POST'],
  ['/keys', 'oidc.example.org'],
  ['/keys', 'evil.org'],
  ['/keys', 'b.org', 'PUT'],
  ['/keys', 'b.org', 'HEAD'],
  ['/', 'b.org'],
  ['/keys/', 'b.org'],
  ['/oidc/keys', 'b.org'],
  ['/oidc/.well-known/openid-configuration', 'b.org'],
] as const

/** What consumers look at; dates and the server's own headers differ. */
function comparable({ status, headers, body }: Reply) {
  const kept = ['content-type', 'cache-control']
  return {
    status,
    // Which words a refusal has is nobody's business.
    body: status === 200 ? JSON.parse(body) : undefined,
    headers: Object.fromEntries(kept.map((name) => [name, headers[name]])),
  }
}

const VARIANTS = [
  'allow_insecure_scheme = true',
  'set_key_use = true\njwt_issuer = "https://iss.example.org"\njwks_uri = "https://keys.example.org/k"',
  'server_path_prefix = "/oidc"',
  'server_path_prefix = "/oidc"\nallow_insecure_scheme = true',
]

interop(
  'both providers give the same answers',
  ['spire-server', 'spire-agent', 'oidc-discovery-provider'],
  async () => {
    await using server = await startServer('spire')
    for (const variant of VARIANTS) {
      const config = (port: number) => `domains = ["oidc.example.org", "b.org"]
        insecure_addr = "127.0.0.1:${port}"
        server_api { address = "unix://${server.socket}" }
        ${variant}`
      await using ours = await provider('steeple', config)
      await using theirs = await provider('spire', config)
      for (const [path, host, method, more] of QUESTIONS) {
        const of = async (port: number) => comparable(await ask(port, path, host, method, more))
        const title = `${variant}: ${method ?? 'GET'} ${path} of ${host}`
        expect(await of(ours.port), title).toEqual(await of(theirs.port))
      }
    }
  },
)

async function jwtOf(server: Server): Promise<string> {
  const mint = ['jwt', 'mint', '-spiffeID', `spiffe://${server.trustDomain}/w`, '-audience', 'shop']
  const { stdout } = await server.cli('spire', ...mint)
  return stdout.trim()
}

interop(
  'a stock OpenID library checks a JWT-SVID through our discovery document, by either source of keys',
  ['spire-server', 'spire-agent'],
  async () => {
    const port = await freePort()
    const issuer = `http://127.0.0.1:${port}`
    await using server = await startServer('steeple', { settings: `jwt_issuer = "${issuer}"` })
    await using agent = await startAgent('steeple', server, {
      settings: 'allow_unauthenticated_verifiers = true',
    })
    for (const source of [
      `server_api { address = "unix://${server.socket}" }`,
      `workload_api { socket_path = "${agent.socket}"  trust_domain = "example.org" }`,
    ]) {
      const path = join(dir, 'verified.conf')
      writeFileSync(
        path,
        `domains = ["127.0.0.1"]
        insecure_addr = "127.0.0.1:${port}"
        allow_insecure_scheme = true
        ${source}`,
      )
      await using _provider = start(steeple, ['oidc', 'run', '-config', path])
      const keys = async () =>
        (await ask(port, '/keys', 'x').catch(() => undefined))?.status === 200
      await until('the keys to be served', keys)
      const discovered = await fetch(`${issuer}/.well-known/openid-configuration`)
      const { jwks_uri, issuer: named } = JSON.parse(await discovered.text())
      expect(named).toBe(issuer)
      const jwks = createRemoteJWKSet(new URL(jwks_uri))
      const token = await jwtOf(server)
      const { payload } = await jwtVerify(token, jwks, { issuer, audience: 'shop' })
      expect(payload.sub).toBe('spiffe://example.org/w')
      await expect(jwtVerify(token, jwks, { issuer, audience: 'bank' })).rejects.toThrow(/aud/)
      await expect(jwtVerify(`${token.slice(0, -4)}AAAA`, jwks, { issuer })).rejects.toThrow()
    }
  },
)
