import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Authorities } from '../../../server/ca/authorities.ts'
import type { Ca } from '../../../server/ca/open-ca.ts'
import { takeDueSteps } from '../../../server/ca/rotate.ts'
import type { Authority } from '../../../server/ca/slots.ts'
import {
  appendAuthorities,
  taintJwtAuthority,
  taintX509Authority,
} from '../../../spiffe/bundle/merge.ts'
import type { Bundle } from '../../../spiffe/bundle.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'
import { verifyJwtSvid } from '../../../spiffe/jwt/verify.ts'
import { generateKey, spkiOf } from '../../../spiffe/key.ts'
import { authorityIdOf } from '../../../spiffe/x509/key-id.ts'
import { verifyX509Svid } from '../../../spiffe/x509/verify.ts'
import { openSite, type Site, startServer, TRUST_DOMAIN } from './server-under-test.ts'

let site: Site
beforeEach(async () => {
  site = await openSite()
})
afterEach(() => site.store.close())

type Kind = 'x509' | 'jwt'
const KINDS = ['x509', 'jwt'] as const

const of = (ca: Ca, kind: Kind): Authorities<Authority> => ca[kind] ?? expect.unreachable()

/** ID and flag of every authority of a kind. */
const published = (bundle: Bundle, kind: Kind): Record<string, boolean> =>
  Object.fromEntries(
    kind === 'x509'
      ? bundle.x509Authorities.map(({ der, tainted }) => [authorityIdOf(der), tainted])
      : bundle.jwtAuthorities.map(({ keyId, tainted }) => [keyId, tainted]),
  )

/** A server whose first authority is old, and its second one active. */
async function rotated(kind: Kind) {
  const server = await startServer(site)
  const authorities = of(server.ca, kind)
  const old = authorities.slots().active?.id ?? expect.unreachable()
  const active = (await authorities.activate((await authorities.prepare()).id)).id
  return { ...server, authorities, old, active }
}

test.for(KINDS)(
  'the old %s authority is tainted, then revoked; the active one signs on',
  async (kind) => {
    const { authorities, bundle, old, active } = await rotated(kind)
    const before = bundle.current().sequenceNumber
    expect((await authorities.taint(old)).id).toBe(old)
    expect(published(bundle.current(), kind)).toEqual({ [old]: true, [active]: false })
    expect(bundle.current().sequenceNumber).toBe(before + 1)
    await authorities.revoke(old)
    expect(published(bundle.current(), kind)).toEqual({ [active]: false })
    expect(bundle.current().sequenceNumber).toBe(before + 2)
    expect(authorities.slots()).toMatchObject({ active: { id: active }, old: undefined })
    expect(authorities.signer()?.authority.id).toBe(active)
    expect(await site.store.bundles.find(TRUST_DOMAIN)).toEqual(bundle.current())
  },
)

test('what a tainted authority signed still verifies, what a revoked one signed does not', async () => {
  const { ca, issuer, bundle } = await startServer(site)
  const id = parseSpiffeId('spiffe://example.org/workload')
  const spki = spkiOf(await generateKey('ec-p256'))
  const { chain } = await issuer.issueWorkloadX509Svid({ spki, id, dnsNames: [], ttlSeconds: 0 })
  const { token } = await issuer.issueJwtSvid({
    ...{ id, audience: ['a'], ttlSeconds: 0, includeJti: false },
  })
  const verifyBoth = async () => {
    const now = site.clock.now()
    const bundles = new Map([[TRUST_DOMAIN, bundle.current()]])
    const isTaken = { x509: true, jwt: true }
    try {
      verifyX509Svid({ chain, bundle: bundle.current(), now })
    } catch {
      isTaken.x509 = false
    }
    await verifyJwtSvid(token, { bundles, audience: 'a', now }).catch(() => {
      isTaken.jwt = false
    })
    return isTaken
  }
  for (const kind of KINDS) {
    const authorities = of(ca, kind)
    const old = authorities.slots().active?.id ?? expect.unreachable()
    await authorities.activate((await authorities.prepare()).id)
    await authorities.taint(old)
  }
  expect(await verifyBoth()).toEqual({ x509: true, jwt: true })
  for (const kind of KINDS) {
    const authorities = of(ca, kind)
    await authorities.revoke(authorities.slots().old?.id ?? expect.unreachable())
  }
  expect(await verifyBoth()).toEqual({ x509: false, jwt: false })
})

interface Refusal {
  readonly what: string
  readonly code: string
  readonly message: string
  readonly attempt: (authorities: Authorities<Authority>) => Promise<unknown>
}

const activeOf = (authorities: Authorities<Authority>) =>
  authorities.slots().active?.id ?? expect.unreachable()
const prepared = async (authorities: Authorities<Authority>) => (await authorities.prepare()).id
const oldOf = async (authorities: Authorities<Authority>) => {
  const old = activeOf(authorities)
  await authorities.activate(await prepared(authorities))
  return old
}
const CURRENT = 'invalid authority ID: unable to use current authority'

const refusals = (name: string, words: Record<string, string>): readonly Refusal[] => [
  {
    what: 'tainting none',
    code: 'REQUEST_INVALID',
    message: 'no authority ID provided',
    attempt: (one) => one.taint(''),
  },
  {
    what: 'tainting one that was never made',
    code: 'REQUEST_INVALID',
    message: 'unexpected authority ID',
    attempt: (one) => one.taint('nope'),
  },
  {
    what: 'tainting the active one',
    code: 'REQUEST_INVALID',
    message: 'unable to taint current local authority',
    attempt: (one) => one.taint(activeOf(one)),
  },
  {
    what: 'tainting the prepared one',
    code: 'REQUEST_INVALID',
    message:
      'only Old local authorities can be tainted: unsupported local authority status: PREPARED',
    attempt: async (one) => one.taint(await prepared(one)),
  },
  {
    what: 'tainting the old one twice',
    code: 'INTERNAL',
    message: `failed to taint ${name} authority: ${words.twice}`,
    attempt: async (one) => {
      const old = await oldOf(one)
      await one.taint(old)
      await one.taint(old)
    },
  },
  {
    what: 'revoking none',
    code: 'REQUEST_INVALID',
    message: 'invalid authority ID: no authority ID provided',
    attempt: (one) => one.revoke(''),
  },
  {
    what: 'revoking one that was never made',
    code: 'REQUEST_INVALID',
    message: `invalid authority ID: ${words.never}`,
    attempt: (one) => one.revoke('nope'),
  },
  {
    what: 'revoking the active one',
    code: 'REQUEST_INVALID',
    message: CURRENT,
    attempt: (one) => one.revoke(activeOf(one)),
  },
  {
    what: 'revoking the prepared one',
    code: 'REQUEST_INVALID',
    message: `invalid authority ID: ${words.prepared}`,
    attempt: async (one) => one.revoke(await prepared(one)),
  },
  {
    what: 'revoking the old one while it is not tainted',
    code: 'INTERNAL',
    message: `failed to revoke ${name} authority: ${words.untainted}`,
    attempt: async (one) => one.revoke(await oldOf(one)),
  },
  {
    what: 'revoking the old one twice',
    code: 'INTERNAL',
    message: `failed to revoke ${name} authority: ${words.gone}`,
    attempt: async (one) => {
      const old = await oldOf(one)
      await one.taint(old)
      await one.revoke(old)
      await one.revoke(old)
    },
  },
  {
    what: 'tainting the old one after it was revoked',
    code: 'INTERNAL',
    message: `failed to taint ${name} authority: ${words.untaintable}`,
    attempt: async (one) => {
      const old = await oldOf(one)
      await one.taint(old)
      await one.revoke(old)
      await one.taint(old)
    },
  },
]

const ROWS = [
  ...refusals('X.509', {
    twice: 'root CA is already tainted',
    never: 'only Old local authority can be revoked',
    prepared: 'only Old local authority can be revoked',
    untainted: 'it is not possible to revoke an untainted root CA',
    gone: 'no root CA found with provided subject key ID',
    untaintable: 'no ca found with provided subject key ID',
  }).map((row) => ({ kind: 'x509' as const, ...row })),
  ...refusals('JWT', {
    twice: 'key is already tainted',
    never: 'no JWT authority found with provided authority ID',
    prepared: 'unable to use a prepared key',
    untainted: 'it is not possible to revoke an untainted key',
    gone: 'no JWT Key found with provided key ID',
    untaintable: 'no JWT Key found with provided key ID',
  }).map((row) => ({ kind: 'jwt' as const, ...row })),
]

test.for(ROWS)('$kind: $what is refused', async ({ kind, attempt, code, message }) => {
  const { ca } = await startServer(site)
  await expect(attempt(of(ca, kind))).rejects.toMatchObject({ code, message })
  expect(of(ca, kind).signer()).toBeDefined()
})

test('a tainted JWT authority can still be revoked after another one has taken its place', async () => {
  const { authorities, old, bundle } = await rotated('jwt')
  await authorities.taint(old)
  await authorities.activate((await authorities.prepare()).id)
  expect(authorities.slots().old?.id).not.toBe(old)
  await authorities.revoke(old)
  expect(published(bundle.current(), 'jwt')).not.toHaveProperty(old)
})

test.for(
  KINDS.flatMap((kind) =>
    (['before', 'after'] as const).flatMap((when) =>
      (['taint', 'revoke'] as const).map((step) => [kind, step, when] as const),
    ),
  ),
)(
  '%s: a server killed %sing, %s the write, starts again with the bundle as it is on disk',
  async ([kind, step, when]) => {
    const { authorities, old, active } = await rotated(kind)
    if (step === 'revoke') await authorities.taint(old)
    site.calls = 0
    site.fault = { at: 1, when }
    await expect(authorities[step](old)).rejects.toThrow('failed')
    site.fault = undefined
    const again = await startServer(site)
    const isDone = when === 'after'
    const expected =
      step === 'taint'
        ? { [old]: isDone, [active]: false }
        : { ...(isDone ? {} : { [old]: true }), [active]: false }
    expect(published(again.bundle.current(), kind)).toEqual(expected)
    expect(of(again.ca, kind).signer()?.authority.id).toBe(active)
    const oldNow = of(again.ca, kind).slots().old?.id
    expect(oldNow).toBe(step === 'revoke' && isDone ? undefined : old)
  },
)

test('the log says which authority was tainted and revoked', async () => {
  const { authorities, old } = await rotated('x509')
  await authorities.taint(old)
  await authorities.revoke(old)
  expect(site.lines.slice(-2)).toMatchObject([
    { msg: 'X.509 authority tainted successfully', level: 'info', local_authority_id: old },
    { msg: 'X.509 authority revoked successfully', level: 'info', local_authority_id: old },
  ])
})

test.for(KINDS)(
  'an active %s authority that another server taints signs no more, and rotation replaces it',
  async (kind) => {
    const { ca, bundle } = await startServer(site)
    const authorities = of(ca, kind)
    const id = authorities.slots().active?.id ?? expect.unreachable()
    await bundle.update((current) =>
      kind === 'x509' ? taintX509Authority(current, id) : taintJwtAuthority(current, id),
    )
    expect(authorities.signer()).toBeUndefined()
    expect(authorities.slots().active).toBeUndefined()
    await takeDueSteps(authorities, site.clock)
    expect(authorities.signer()?.authority.id).not.toBe(id)
    expect(published(bundle.current(), kind)).toMatchObject({ [id]: true })
  },
)

test.for(KINDS)(
  'an %s authority of another server is tainted and revoked by its ID; one of this server is not',
  async (kind) => {
    const { ca, bundle } = await startServer(site)
    const own = of(ca, kind)
    const otherSite = await openSite()
    const other = await startServer(otherSite)
    const { x509Authorities, jwtAuthorities } = other.bundle.current()
    await bundle.update((current) =>
      appendAuthorities(current, { x509Authorities, jwtAuthorities }),
    )
    const id = of(other.ca, kind).slots().active?.id ?? expect.unreachable()
    const mine = own.slots().active?.id ?? expect.unreachable()
    for (const refused of [own.taintOther(mine), own.revokeOther(mine)]) {
      await expect(refused).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
    }
    await expect(own.revokeOther(id)).rejects.toMatchObject({ code: 'INTERNAL' }) // untainted
    await expect(own.taintOther('unknown')).rejects.toMatchObject({ code: 'INTERNAL' })
    await expect(own.taintOther('')).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
    await own.taintOther(id)
    await expect(own.taintOther(id)).rejects.toMatchObject({ code: 'INTERNAL' })
    expect(published(bundle.current(), kind)).toEqual({ [mine]: false, [id]: true })
    await own.revokeOther(id)
    expect(published(bundle.current(), kind)).toEqual({ [mine]: false })
    await otherSite.store.close()
  },
)
