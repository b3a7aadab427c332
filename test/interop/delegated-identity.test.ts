/**
 * The Delegated Identity API of our agent beside spire-agent's: the same requests by the same caller at both, under one server, and
 * the same codes, texts and fields. Where ours says more, it says SPIRE's text first.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type Agent, startAgent, startServer } from '../processes/cluster.ts'
import { run, until } from '../processes/process.ts'
import { interop, peer } from './interop.ts'

const API = 'spire.api.agent.delegatedidentity.v1.DelegatedIdentity'
const PROTO = join(import.meta.dirname, '..', '..', 'proto')
const FILE = 'spire/api/agent/delegatedidentity/v1/delegated_identity.proto'
/** Long enough for the first message of a stream, which goes on. */
const STREAM_SECONDS = 3
const UID = `uid:${process.geteuid?.()}`
const GRPCURL = 'spiffe://example.org/delegate'

async function ask(agent: Agent, method: string, request: object) {
  const { stdout, stderr } = await run(peer('grpcurl'), [
    ...['-plaintext', '-max-time', String(STREAM_SECONDS), '-max-msg-sz', String(64 << 20)],
    ...['-emit-defaults', '-import-path', PROTO, '-proto', FILE, '-d', JSON.stringify(request)],
    ...[`unix://${agent.adminSocket}`, `${API}/${method}`],
  ])
  const end = stdout.indexOf('\n}\n')
  const text = end === -1 ? stdout : stdout.slice(0, end + 3)
  const code = /Code: (\S+)/.exec(stderr)?.[1] ?? ''
  return {
    message: text.trim() === '' ? undefined : JSON.parse(text),
    // A stream that went on until its time was over was served.
    code: code === 'DeadlineExceeded' ? '' : code,
    text: code === 'DeadlineExceeded' ? '' : (/Message: (.*)/.exec(stderr)?.[1] ?? ''),
  }
}

/** Keys, certificates, tokens and times are another agent's own. */
const shapeOf = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(shapeOf)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => {
      if (['x509_svid_key', 'x509SvidKey', 'token'].includes(name)) return [name, typeof one]
      if (['certChain', 'cert_chain'].includes(name)) return [name, `${one.length} certificates`]
      return [name, /At$|_at$/.test(name) ? Number(one) > 1_700_000_000 : shapeOf(one)]
    }),
  )
}

const WORKLOAD = { selectors: [{ type: 'cilium', value: 'mutual-auth' }] }
const NOBODY = { selectors: [{ type: 'cilium', value: 'nobody' }] }
const ADMIN = { selectors: [{ type: 'cilium', value: 'admin' }] }
const ABSENT_PID = 2 ** 22 + 1

const REQUESTS: readonly (readonly [method: string, request: object])[] = [
  ['SubscribeToX509SVIDs', WORKLOAD],
  ['SubscribeToX509SVIDs', NOBODY],
  ['SubscribeToX509SVIDs', ADMIN],
  ['SubscribeToX509SVIDs', { pid: process.pid }],
  ['SubscribeToX509SVIDs', { pid: ABSENT_PID }],
  ['SubscribeToX509SVIDs', { pid: -1 }],
  ['SubscribeToX509SVIDs', {}],
  ['SubscribeToX509SVIDs', { ...WORKLOAD, pid: 1 }],
  ['SubscribeToX509SVIDs', { selectors: [{ type: 'a:b', value: 'c' }] }],
  ['SubscribeToX509SVIDs', { selectors: [{ type: 'a' }] }],
  ['SubscribeToX509Bundles', {}],
  ['SubscribeToJWTBundles', {}],
  ['FetchJWTSVIDs', { ...WORKLOAD, audience: ['x'] }],
  ['FetchJWTSVIDs', { pid: process.pid, audience: ['x', 'y'] }],
  ['FetchJWTSVIDs', { ...NOBODY, audience: ['x'] }],
  ['FetchJWTSVIDs', { ...ADMIN, audience: ['x'] }],
  ['FetchJWTSVIDs', { pid: ABSENT_PID, audience: ['x'] }],
  ['FetchJWTSVIDs', WORKLOAD],
  ['FetchJWTSVIDs', { audience: ['x'] }],
  ['FetchJWTSVIDs', { ...WORKLOAD, pid: 1, audience: ['x'] }],
]

async function startPair() {
  const server = await startServer('spire')
  const dir = mkdtempSync(join(tmpdir(), 'delegated-'))
  const settings = `authorized_delegates = ["${GRPCURL}"]`
  const options = { hasAdminSocket: true, settings }
  const ours = await startAgent('steeple', server, options)
  const theirs = await startAgent('spire', server, options)
  const create = async (path: string, selector: string, ...more: readonly string[]) => {
    for (const { id } of [ours, theirs]) {
      const flags = ['-parentID', id, '-spiffeID', `spiffe://example.org${path}`, ...more]
      const { code, stderr } = await server.cli(
        'spire',
        'entry',
        'create',
        ...flags,
        '-selector',
        selector,
      )
      if (code !== 0) throw new Error(stderr)
    }
  }
  return {
    ...{ server, ours, theirs, create },
    async [Symbol.asyncDispose]() {
      await ours[Symbol.asyncDispose]()
      await theirs[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

interop(
  'a delegate is told the same by either agent, whatever it asks for',
  ['spire-server', 'spire-agent', 'grpcurl'],
  async () => {
    await using pair = await startPair()
    const { ours, theirs, create } = pair
    await create('/delegate', `unix:${UID}`, '-hint', 'own')
    await create('/a', 'cilium:mutual-auth', '-hint', 'same')
    await create('/b', 'cilium:mutual-auth', '-hint', 'same')
    await create('/admin', 'cilium:admin', '-admin')
    await create('/down', 'cilium:mutual-auth', '-downstream')
    for (const agent of [ours, theirs]) {
      await until('the agent to know all entries', async () => {
        const { message } = await ask(agent, 'SubscribeToX509SVIDs', WORKLOAD)
        return message?.x509Svids?.length === 2
      })
    }
    for (const [method, request] of REQUESTS) {
      const [our, their] = [await ask(ours, method, request), await ask(theirs, method, request)]
      const title = `${method} ${JSON.stringify(request)}`
      expect(our.code, title).toBe(their.code)
      expect(our.text.startsWith(their.text), `${title}: ${our.text} | ${their.text}`).toBe(true)
      const sorted = [our, their].map(({ message }) => {
        message?.x509Svids?.sort(byPath)
        message?.svids?.sort(byPath)
        return shapeOf(message)
      })
      expect(sorted[0], title).toEqual(sorted[1])
    }
  },
)

interface Named {
  readonly x509Svid?: Named
  readonly id?: { readonly path: string }
}

function byPath(a: Named, b: Named): number {
  const path = ({ x509Svid, id }: Named) => (x509Svid?.id ?? id)?.path ?? ''
  return path(a) < path(b) ? -1 : 1
}

interop(
  'a caller that is no delegate is refused by either agent in the same words, ours with the reason after them',
  ['spire-server', 'spire-agent', 'grpcurl'],
  async () => {
    await using pair = await startPair()
    const { ours, theirs, create } = pair
    const both = async () => [
      await ask(ours, 'SubscribeToX509SVIDs', WORKLOAD),
      await ask(theirs, 'SubscribeToX509SVIDs', WORKLOAD),
    ]
    const nobody = await both()
    for (const { code } of nobody) expect(code).toBe('PermissionDenied')
    expect(nobody[1]?.text).toBe('no identity issued')
    expect(nobody[0]?.text).toMatch(/^no identity issued: ./)
    await create('/other', `unix:${UID}`)
    await until('both agents to know the entry', async () =>
      (await both()).every(({ text }) => text.startsWith('caller not configured')),
    )
    const [our, their] = await both()
    expect(their?.text).toBe('caller not configured as an authorized delegate')
    expect(our?.text).toBe(
      `${their?.text}: it is spiffe://example.org/other, and authorized_delegates of the agent has ${GRPCURL}`,
    )
  },
)
