/** Guided rotation at a real server, with an agent that does what an agent does, step by step. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { RenewAgentResponse } from '../../../proto/gen/spire/api/server/agent/v1/RenewAgentResponse.ts'
import type { BatchCreateEntryResponse } from '../../../proto/gen/spire/api/server/entry/v1/BatchCreateEntryResponse.ts'
import type { BatchNewX509SVIDResponse } from '../../../proto/gen/spire/api/server/svid/v1/BatchNewX509SVIDResponse.ts'
import { pathOf } from '../../../spiffe/id.ts'
import { generateKey } from '../../../spiffe/key.ts'
import { createCsr } from '../../../spiffe/x509/csr.ts'
import { toPemChain } from '../../../spiffe/x509/pem.ts'
import {
  type AttestedAgent,
  type Clients,
  call,
  startTestServer,
  type TestServer,
} from '../../server/running-server.ts'
import { run } from '../run.ts'

let server: TestServer
let agent: AttestedAgent
let clients: Clients
beforeEach(async () => {
  server = await startTestServer()
  agent = await server.attest()
  clients = await server.connect(agent.certificate)
})
afterEach(() => server[Symbol.asyncDispose]())

const rotate = (line: string) => run(`authority rotate ${line} -socketPath ${server.socketPath}`)
/** As an agent that polls: which also lets its renewed SVID take over. */
async function sync() {
  await call((done) => clients.entry.GetAuthorizedEntries({}, done))
  await call((done) => clients.bundle.GetBundle({}, done))
}
const csr = async () => {
  const key = await generateKey('ec-p256')
  return { key, csr: new Uint8Array(createCsr({ key, uriSans: [] })) }
}

async function register(): Promise<string> {
  const entry = {
    spiffe_id: { trust_domain: 'example.org', path: '/workload' },
    parent_id: { trust_domain: 'example.org', path: pathOf(agent.id) },
    selectors: [{ type: 'unix', value: 'uid:1' }],
  }
  const { results } = await call<BatchCreateEntryResponse>((done) =>
    server.admin.entry.BatchCreateEntry({ entries: [entry] }, done),
  )
  return results[0]?.entry?.id ?? ''
}

/** As an agent does for each entry, at first and when the authority is tainted. */
async function fetchSvid(entry_id: string) {
  const sign = async () => {
    const params = [{ entry_id, csr: (await csr()).csr }]
    const { results } = await call<BatchNewX509SVIDResponse>((done) =>
      clients.svid.BatchNewX509SVID({ params }, done),
    )
    return results[0]?.status?.code
  }
  await expect.poll(sign).toBe(0)
}

/** The new SVID is in use from its first call on. */
async function renewAgent() {
  const { key, csr: request } = await csr()
  const { svid } = await call<RenewAgentResponse>((done) =>
    clients.agent.RenewAgent({ params: { csr: request } }, done),
  )
  const chain = toPemChain(svid?.cert_chain ?? [])
  const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString()
  clients = await server.connect({ chain, key: pem })
  await sync()
}

const first = (text: string) => /Active X.509 authority: (\w+)/.exec(text)?.[1] ?? ''

test('a rotation waits for the agent at every step, and cuts nothing off', async () => {
  const entry = await register()
  await fetchSvid(entry)
  const active = first((await rotate('x509 -status')).out)
  expect(active).toMatch(/^[0-9a-f]{40}$/)
  const prepared = await rotate('x509 -yes -until prepare')
  expect(prepared).toMatchObject({ code: 0, err: '' })
  expect(prepared.out).toContain('Prepared X.509 authority')

  const unheard = await rotate('x509 -status')
  expect(unheard.out).toContain('Waiting for 1 that were not yet told')
  expect(unheard.out).toContain(agent.id)
  const activating = rotate('x509 -yes -until activate')
  await sync()
  expect(await activating).toMatchObject({ code: 0, err: '' })

  const inUse = await rotate('x509 -status')
  expect(inUse.out).toContain(`Old X.509 authority: ${active}`)
  expect(inUse.out).toContain(`${agent.id}: 1 SVID of the agent itself`)
  expect(inUse.out).toContain(`${agent.id}: 1 X.509-SVIDs of workloads`)
  expect((await rotate('x509 -yes -force -until taint')).out).toContain(
    `Tainted X.509 authority ${active}`,
  )

  const revoking = rotate('x509 -yes')
  await sync()
  await fetchSvid(entry)
  expect((await rotate('x509 -status')).out).toContain(`${agent.id}: 1 SVID of the agent itself`)
  await renewAgent()
  const revoked = await revoking
  expect(revoked).toMatchObject({ code: 0, err: '' })
  expect(revoked.out).toContain(`Revoked X.509 authority ${active}`)
  expect(revoked.out).toMatch(/Done: the authority is out of the bundle\n$/)
  expect((await rotate('x509 -status')).out).toContain('Old X.509 authority: none')
})

test('without -yes it only tells', async () => {
  const told = await rotate('x509')
  expect(told).toMatchObject({
    code: 1,
    err: 'Error: nothing was changed; add -yes to take the steps\n',
  })
  expect(told.out).toContain('Next: prepare a new authority')
  expect((await rotate('x509 -status')).out).toContain('Prepared X.509 authority: none')
})

test('what is prepared can be taken back, and leaves the bundle', async () => {
  const { out } = await rotate('jwt -yes -until prepare')
  const id = /Prepared JWT authority (\w+)/.exec(out)?.[1] ?? 'none'
  expect((await rotate('jwt -abort')).out).toBe(`Took back the prepared authority ${id}\n`)
  const { out: bundle } = await run(
    `server bundle show -format spiffe -socketPath ${server.socketPath}`,
  )
  expect(bundle).not.toContain(id)
  expect((await rotate('jwt -abort')).out).toBe(
    'Nothing is prepared, so there is nothing to take back\n',
  )
})

test('a minted JWT-SVID is in use until it expires', async () => {
  await run(
    `server jwt mint -spiffeID spiffe://example.org/a -audience b -socketPath ${server.socketPath}`,
  )
  await rotate('jwt -yes -force -until activate')
  expect((await rotate('jwt -status')).out).toContain('spiffe://example.org/a: 1 minted JWT-SVIDs')
})

test('after a restart without its ledger, what the server signed before is perhaps in use until that has expired', async () => {
  await rotate('x509 -yes -force -until activate')
  await server.stop()
  rmSync(join(server.dir, 'signing-ledger.jsonl'))
  await using again = await startTestServer({ dir: server.dir })
  const ask = (line: string) => run(`authority rotate ${line} -socketPath ${again.socketPath}`)
  const unclear = await ask('x509 -yes')
  expect(unclear.code).toBe(1)
  const named = /to finish with the old one: (-authorityID \w+)/.exec(unclear.err)?.[1]
  expect((await ask(`x509 -status ${named}`)).out).toContain(
    'perhaps more, signed before what this server remembers',
  )
  expect((await ask(`x509 -yes -until taint ${named}`)).code).toBe(0)
  expect((await ask('x509 -status -output json')).out).toContain('"reason":"unheard"')
})

test.for([
  ['x509 -until never', '-until is "never"; expected one of prepare, activate, taint, revoke'],
  ['x509 -authorityID nonsense', 'this server has no such authority, or no longer'],
] as const)('authority rotate %s is refused', async ([line, message]) => {
  const { code, err } = await rotate(line)
  expect(code).toBe(1)
  expect(err).toContain(message)
})
