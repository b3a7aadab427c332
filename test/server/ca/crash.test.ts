import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { memoryKeyStore } from '../../../server/ca/key-store/memory.ts'
import { takeDueSteps } from '../../../server/ca/rotate.ts'
import { pruneExpired } from '../../../spiffe/bundle/merge.ts'
import { type Bundle, emptyBundle } from '../../../spiffe/bundle.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'
import { verifyJwtSvid } from '../../../spiffe/jwt/verify.ts'
import { generateKey, spkiOf } from '../../../spiffe/key.ts'
import { verifyX509Svid } from '../../../spiffe/x509/verify.ts'
import {
  type Fault,
  openSite,
  type RunningServer,
  type Site,
  startServer,
  TRUST_DOMAIN,
} from './server-under-test.ts'

const HOUR_MS = 60 * 60 * 1000
const id = parseSpiffeId('spiffe://example.org/workload')
const spki = spkiOf(await generateKey('ec-p256'))

let site: Site
beforeEach(async () => {
  site = await openSite()
})
afterEach(() => site.store.close())

type Issued =
  | {
      readonly kind: 'x509'
      readonly chain: readonly Uint8Array[]
      readonly issuedAt: Date
      readonly expiresAt: Date
    }
  | {
      readonly kind: 'jwt'
      readonly token: string
      readonly issuedAt: Date
      readonly expiresAt: Date
    }

const committed = async (): Promise<Bundle> =>
  (await site.store.bundles.find(TRUST_DOMAIN)) ?? emptyBundle(TRUST_DOMAIN)

/** What has never been seen expired, by whatever clock, must verify. */
async function mustVerify(svid: Issued, latest: Date): Promise<void> {
  const now = site.clock.now()
  if (svid.expiresAt <= latest || now < svid.issuedAt) return
  const bundle = await committed()
  if (svid.kind === 'x509') verifyX509Svid({ chain: svid.chain, bundle, now })
  else
    await verifyJwtSvid(svid.token, {
      bundles: new Map([[TRUST_DOMAIN, bundle]]),
      audience: 'a',
      now,
    })
}

/** Whatever can sign is in the committed bundle, and within its validity. */
async function mustBePublished({ ca }: RunningServer): Promise<void> {
  const { x509Authorities, jwtAuthorities } = await committed()
  const x509 = ca.x509.signer()?.authority
  const jwt = ca.jwt?.signer()?.authority
  if (x509 !== undefined) {
    expect(x509Authorities.some(({ der }) => Buffer.from(x509.certificate).equals(der))).toBe(true)
  }
  if (jwt !== undefined) expect(jwtAuthorities.some(({ keyId }) => keyId === jwt.id)).toBe(true)
  for (const authority of [x509, jwt]) {
    if (authority === undefined) continue
    expect(authority.notBefore <= site.clock.now()).toBe(true)
    expect(authority.expiresAt > site.clock.now()).toBe(true)
  }
}

async function issue({ issuer }: RunningServer): Promise<readonly Issued[]> {
  const { chain, ...x509 } = await issuer.issueWorkloadX509Svid({
    spki,
    id,
    dnsNames: [],
    ttlSeconds: 0,
  })
  const jwt = await issuer.issueJwtSvid({ id, audience: ['a'], ttlSeconds: 0, includeJti: false })
  return [
    { kind: 'x509', chain, ...x509 },
    { kind: 'jwt', ...jwt },
  ]
}

async function takeSteps({ ca }: RunningServer): Promise<void> {
  await takeDueSteps(ca.x509, site.clock)
  if (ca.jwt !== undefined) await takeDueSteps(ca.jwt, site.clock)
}

/** What happens between one start and the next, as far as nothing fails. */
const LIFE = [
  { name: 'the first start', advanceMs: 0 },
  { name: 'preparing the second authorities', advanceMs: 12 * HOUR_MS },
  { name: 'activating the second authorities', advanceMs: 8 * HOUR_MS },
  { name: 'a start after everything has expired', advanceMs: 100 * HOUR_MS },
]

async function runLife(upTo: number): Promise<RunningServer> {
  let server = await startServer(site)
  for (const { advanceMs } of LIFE.slice(1, upTo)) {
    site.clock.advance(advanceMs)
    server = await startServer(site)
  }
  return server
}

test.for(LIFE.map(({ name, advanceMs }, at) => ({ name, advanceMs, at })))(
  'a server killed at any moment of $name starts again by itself, and what it had issued stays good',
  async ({ advanceMs, at }) => {
    let calls = 1
    for (let call = 1; call <= calls; call += 1) {
      for (const when of ['before', 'after'] as const) {
        await site.store.close()
        site = await openSite()
        const issued = at === 0 ? [] : await issue(await runLife(at))
        site.clock.advance(advanceMs)
        site.calls = 0
        site.fault = { at: call, when }
        await expect(startServer(site)).rejects.toThrow('failed')
        site.fault = undefined
        const sequenceBefore = (await committed()).sequenceNumber
        site.calls = 0
        const server = await startServer(site)
        calls = Math.max(calls, site.calls)
        await mustBePublished(server)
        for (const svid of [...issued, ...(await issue(server))]) {
          await mustVerify(svid, site.clock.now())
        }
        // One authority that nobody uses is left behind at most: two kinds, each published once more.
        expect((await committed()).sequenceNumber - sequenceBefore).toBeLessThanOrEqual(2)
      }
    }
    expect(calls).toBeGreaterThanOrEqual(3)
  },
)

type Move =
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'steps'; readonly fault: Fault | undefined }
  | { readonly kind: 'restart'; readonly fault: Fault | undefined; readonly loseKeys: boolean }
  | { readonly kind: 'issue' }
  | { readonly kind: 'prune' }

const fault = fc.option(
  fc.record({ at: fc.integer({ min: 1, max: 8 }), when: fc.constantFrom('before', 'after') }),
  { nil: undefined, freq: 2 },
)
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('advance'),
      ms: fc.integer({ min: 0, max: 8 * HOUR_MS }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('advance'),
      ms: fc.integer({ min: -50 * HOUR_MS, max: 100 * HOUR_MS }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('steps'), fault }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('restart'), fault, loseKeys: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('issue') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('prune') }) },
)

/** A server's life under random moves. Each says what must hold after it. */
async function live(moves: readonly Move[]): Promise<void> {
  let server = await startServer(site)
  const issued: Issued[] = []
  let latest = site.clock.now()
  for (const one of moves) {
    await makeMove(one)
    if (site.clock.now() > latest) latest = site.clock.now()
    await mustBePublished(server)
    for (const svid of issued) await mustVerify(svid, latest)
  }

  async function makeMove(one: Move): Promise<void> {
    switch (one.kind) {
      case 'advance':
        return site.clock.advance(one.ms)
      case 'steps': {
        const hadSigner = server.ca.x509.signer() !== undefined
        const failed = await withFault(one.fault, () => takeSteps(server))
        // A failed step takes nothing away from what signed before; a step that worked leaves a signer.
        if (hadSigner || !failed) expect(server.ca.x509.signer()).toBeDefined()
        if (!failed) expect(server.ca.jwt?.signer()).toBeDefined()
        return
      }
      case 'restart': {
        if (one.loseKeys) site.keyStore = memoryKeyStore()
        await withFault(one.fault, () => startServer(site))
        server = await startServer(site)
        expect(server.ca.x509.signer()).toBeDefined()
        expect(server.ca.jwt?.signer()).toBeDefined()
        return
      }
      case 'issue':
        // Without a signer, the refusal is the right answer.
        if (server.ca.x509.signer() === undefined || server.ca.jwt?.signer() === undefined) {
          return await expect(issue(server)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
        }
        issued.push(...(await issue(server)))
        return
      case 'prune':
        await server.bundle.update((bundle) => pruneExpired(bundle, site.clock.now(), 24 * HOUR_MS))
        return
      default:
        one satisfies never
    }
  }
}

/** @returns whether it failed */
async function withFault(
  planned: Fault | undefined,
  run: () => Promise<unknown>,
): Promise<boolean> {
  site.calls = 0
  site.fault = planned
  try {
    await run()
    return false
  } catch (error) {
    if (planned === undefined) throw error
    expect(String(error)).toContain('effect')
    return true
  } finally {
    site.fault = undefined
  }
}

test('whatever clocks, failures, restarts and lost keys do: only what is published signs, and what is issued stays good', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(move, { minLength: 1, maxLength: 25 }), async (moves) => {
      await site.store.close()
      site = await openSite()
      await live(moves)
    }),
    { numRuns: 15 },
  )
})
