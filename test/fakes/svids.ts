/** Identities with real certificates that are valid now, as an agent hands them out and as a source holds them. */
import type { X509Identity } from '../../agent/cache/identity.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { parseSpiffeId } from '../../spiffe/id.ts'
import { toPkcs8 } from '../../spiffe/key.ts'
import { parseX509Svid } from '../../spiffe/x509/x509-svid.ts'
import type { TlsIdentity } from '../../workload/tls/tls-identity.ts'
import type { X509Context } from '../../workload/x509-context.ts'
import { type TestCa, testCa } from './ca.ts'
import type { CertificateFields } from './certificate.ts'

const HOUR_MS = 3_600_000
const now = systemClock.now().getTime()

/** Validity around the real now: OpenSSL takes no other clock. */
export const VALID_NOW = {
  notBefore: new Date(now - HOUR_MS),
  notAfter: new Date(now + HOUR_MS),
} as const

export const currentCa = (trustDomain: string, changes: CertificateFields = {}) =>
  testCa({ trustDomain, ...VALID_NOW, ...changes })

export async function identityOf(
  ca: TestCa,
  path: string,
  change: Partial<X509Identity> & { readonly fields?: CertificateFields } = {},
): Promise<X509Identity> {
  const { fields, ...rest } = change
  const leaf = await ca.leaf(path, { ...VALID_NOW, ...fields })
  const id = parseSpiffeId(`spiffe://${ca.trustDomain}${path}`)
  return {
    entryId: path,
    id,
    hint: '',
    createdAt: 0,
    federatesWith: [],
    chain: leaf.chain,
    key: toPkcs8(leaf.key),
    expiresAt: fields?.notAfter ?? VALID_NOW.notAfter,
    ...rest,
  }
}

/** What a source would make of an identity and these bundles. */
export function contextOf(identity: X509Identity, bundles: readonly Bundle[]): X509Context {
  const svid = parseX509Svid(Buffer.concat(identity.chain), identity.key)
  const defaultSvid = { ...svid, hint: identity.hint }
  return {
    defaultSvid,
    svids: [defaultSvid],
    bundles: new Map(bundles.map((bundle) => [bundle.trustDomain, bundle])),
  }
}

/** A source whose content the test decides. */
export class FakeTlsIdentity implements TlsIdentity {
  #context: X509Context | Error
  readonly #listeners = new Set<() => void>()

  constructor(context: X509Context) {
    this.#context = context
  }

  set(context: X509Context | Error): void {
    this.#context = context
    for (const listener of this.#listeners) listener()
  }

  current(): X509Context {
    if (this.#context instanceof Error) throw this.#context
    return this.#context
  }

  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }
}
