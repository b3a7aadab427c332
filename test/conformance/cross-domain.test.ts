/**
 * What one trust domain may never do to another, at each place where a chain or a token is judged.
 *
 * @see X509-SVID §5.2, SPIFFE-Trust-Domain-and-Bundle §4.2, Federation §4 — an ID is vouched for by its own trust domain alone
 */
import { describe, expect, test } from 'vitest'
import { ATTACKS, genuineOwn, genuinePartner } from './cross-domain/attacks.ts'
import { CLIENT_CHECKS } from './cross-domain/client-checks.ts'
import { PROXY_CHECKS } from './cross-domain/proxy-checks.ts'
import { SERVER_CHECKS } from './cross-domain/server-checks.ts'
import { ownToken, partnerToken, TOKEN_ATTACKS, TOKEN_CHECKS } from './cross-domain/token-checks.ts'

const CHECKS = [...SERVER_CHECKS, ...CLIENT_CHECKS, ...PROXY_CHECKS]

describe.each(CHECKS)('$place', ({ believes, path, judge }) => {
  test('believes who is vouched for by their own trust domain', async () => {
    expect(await judge(await genuineOwn(path))).toBe(true)
    expect(await judge(await genuinePartner(path))).toBe(believes === 'federated')
  })

  test.for(ATTACKS)('refuses %s', async ([, attack]) => {
    expect(await judge(await attack(path))).toBe(false)
  })
})

describe.each(TOKEN_CHECKS)('$place', ({ believes, judge }) => {
  test('believes who is vouched for by their own trust domain', async () => {
    expect(await judge(await ownToken())).toBe(true)
    expect(await judge(await partnerToken())).toBe(believes === 'federated')
  })

  test.for(TOKEN_ATTACKS)('refuses %s', async ([, token]) => {
    expect(await judge(await token())).toBe(false)
  })
})
