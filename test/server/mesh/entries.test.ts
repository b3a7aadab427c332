/** What registration entries have to say at the Istio CA: who is given nothing there, and who is among the entries of thousands of pods. */
import { expect, test } from 'vitest'
import type { BatchCreateEntryResponse } from '../../../proto/gen/spire/api/server/entry/v1/BatchCreateEntryResponse.ts'
import type { BatchDeleteEntryResponse } from '../../../proto/gen/spire/api/server/entry/v1/BatchDeleteEntryResponse.ts'
import { generateKey } from '../../../spiffe/key.ts'
import { createCsr } from '../../../spiffe/x509/csr.ts'
import { encodeName } from '../../../spiffe/x509/name.ts'
import { toPem } from '../../../spiffe/x509/pem.ts'
import { call } from '../running-server.ts'
import { type MeshServer, startMeshServer } from './mesh-server.ts'

const CART = '/ns/shop/sa/cart'
const bearer = (token: string) => [['authorization', `Bearer ${token}`]] as const
const id = (path: string) => ({ trust_domain: 'example.org', path })

async function csrOf(path: string): Promise<string> {
  const key = await generateKey('ec-p256')
  const uriSans = [`spiffe://example.org${path}`]
  return toPem('CERTIFICATE REQUEST', createCsr({ key, uriSans, subject: encodeName({}) }))
}

/** Under a node that there is not: of whose agents it is a child does not matter here. */
const entryOf = (selectors: readonly string[], more: object = {}) => ({
  ...{ spiffe_id: id(CART), parent_id: id('/spire/agent/x509pop/node') },
  selectors: selectors.map((value) => ({ type: 'k8s', value })),
  ...more,
})

/** @returns its IDs */
async function register({ server }: MeshServer, ...entries: readonly object[]) {
  const { results } = await call<BatchCreateEntryResponse>((done) =>
    server.admin.entry.BatchCreateEntry({ entries: [...entries] }, done),
  )
  expect(results.map(({ status }) => status?.code)).toEqual(entries.map(() => 0))
  return results.flatMap(({ entry }) => entry?.id ?? [])
}

const unregister = ({ server }: MeshServer, ids: readonly string[]) =>
  call<BatchDeleteEntryResponse>((done) =>
    server.admin.entry.BatchDeleteEntry({ ids: [...ids] }, done),
  )

test.for([
  ['admin', { admin: true }],
  ['downstream', { downstream: true }],
] as const)(
  'an ID whose entry has %s is given to no proxy, of its own pod or of the node',
  async ([right, more]) => {
    await using mesh = await startMeshServer()
    const csr = await csrOf(CART)
    // Who has the account alone does not have the image that the entry asks for.
    const ids = await register(mesh, entryOf(['sa:cart', 'container-image:signed'], more))
    const impersonating = {
      metadata: {
        fields: { ImpersonatedIdentity: { stringValue: `spiffe://example.org${CART}` } },
      },
    }
    for (const [request, token] of [
      [{ csr }, 'cart-token'],
      [{ csr, ...impersonating }, 'ztunnel-token'],
    ] as const) {
      await expect
        .poll(async () => (await mesh.ask(request, bearer(token))).refusal)
        .toMatch(new RegExp(`^PERMISSION_DENIED .*sa/cart is that of an entry with ${right},`))
      const [refusal] = (await mesh.status()).istio_ca?.tally?.last_refusals ?? []
      expect(refusal).toMatchObject({ check: 'entry' })
    }
    await unregister(mesh, ids)
    const refusal = async () => (await mesh.ask({ csr }, bearer('cart-token'))).refusal
    await expect.poll(refusal).toBe('')
  },
)

test('of a service account with an entry for each of its thousands of pods, each is found', async () => {
  await using mesh = await startMeshServer({ registration: 'entries' })
  const csr = await csrOf(CART)
  const others = Array.from({ length: 1_500 }, (_, at) => entryOf([`pod-uid:other-${at}`]))
  for (let at = 0; at < others.length; at += 500) {
    await register(mesh, ...others.slice(at, at + 500))
  }
  expect((await mesh.ask({ csr }, bearer('cart-token'))).refusal).toMatch(
    /^PERMISSION_DENIED no registration entry/,
  )
  await register(mesh, entryOf(['pod-uid:uid-cart-1']))
  const refusal = async () => (await mesh.ask({ csr }, bearer('cart-token'))).refusal
  await expect.poll(refusal).toBe('')
})
