/**
 * `io.linkerd.proxy.identity.Identity`: certificates for Linkerd's proxies. The checks come in the order of Linkerd's own
 * service and end with its codes, because its proxies and tools know them.
 *
 * @see Mesh issuance §5.1 — checks in order
 */
import type { Cluster } from '../../../kubernetes/cluster.ts'
import type { CertifyRequest } from '../../../proto/gen/io/linkerd/proxy/identity/CertifyRequest.ts'
import type { IdentityHandlers } from '../../../proto/gen/io/linkerd/proxy/identity/Identity.ts'
import type { Call, Implementation } from '../../../proto/serve.ts'
import { unixSeconds } from '../../../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../../../spiffe/error.ts'
import type { TrustDomain } from '../../../spiffe/id.ts'
import type { Csr } from '../../../spiffe/x509/csr.ts'
import { NAME_FORM } from '../../../spiffe/x509/general-names.ts'
import { commonNameOf } from '../../../spiffe/x509/name.ts'
import { checkDnsName } from '../../entries/dns-name.ts'
import type { PrivilegedIds } from '../../entries/privileged-ids.ts'
import type { Caller } from '../../listen/caller.ts'
import type { Limit } from '../../listen/rate-limits.ts'
import { noteFacts } from '../facts.ts'
import { istioIdentity } from '../istio-ca/istio-identity.ts'
import { refused, refusedPlainly, refusePrivileged } from '../refusal.ts'
import { readCsr } from '../requested-csr.ts'
import { MAX_TOKEN_BYTES, type ReviewedAccount, reviewAccount } from '../service-account.ts'
import { type LinkerdNaming, linkerdIdentity } from './linkerd-identity.ts'
import type { LinkerdIssuer } from './linkerd-issuer.ts'

export interface LinkerdServiceDeps {
  readonly trustDomain: TrustDomain
  readonly cluster: Pick<Cluster, 'request'>
  readonly naming: LinkerdNaming
  readonly tokenAudiences: readonly string[]
  /** Whether tokens for the API server itself are taken as well, as those of older proxies are. */
  readonly takesApiServerTokens: boolean
  readonly issuanceLifetimeSeconds: number
  /** Whether certificates have the workload's SPIFFE ID beside its DNS identity. */
  readonly addsSpiffeId: boolean
  /** A token proves less than an entry may ask for. */
  readonly privileged: PrivilegedIds
  readonly issuer: Pick<LinkerdIssuer, 'issue'>
  readonly limit: Limit
}

export function linkerdService(deps: LinkerdServiceDeps): Implementation<Caller, IdentityHandlers> {
  return {
    async Certify(request, call) {
      await deps.limit(call, 1)
      const { identity, token, csr } = readRequest(request)
      noteFacts(call, { identity })
      checkNames(csr, identity)
      const account = await reviewed(token, identity, call, deps)
      const id = deps.addsSpiffeId ? istioIdentity(deps.trustDomain, account) : undefined
      if (id !== undefined) refusePrivileged(deps.privileged, id)
      const { leaf, intermediates, expiresAt } = await deps.issuer.issue({
        ...{ spki: csr.spki, dnsName: identity, id, ttlSeconds: deps.issuanceLifetimeSeconds },
      })
      noteFacts(call, { expiresAt })
      return {
        leaf_certificate: Buffer.from(leaf),
        intermediate_certificates: intermediates.map((der) => Buffer.from(der)),
        valid_until: { seconds: unixSeconds(expiresAt), nanos: 0 },
      }
    },
  }
}

/** INVALID_ARGUMENT for all of it. */
function readRequest({ identity, token, certificate_signing_request: der }: CertifyRequest): {
  readonly identity: string
  readonly token: string
  readonly csr: Csr
} {
  if (identity === '') throw refusedPlainly('request', 'REQUEST_INVALID', 'missing identity')
  try {
    checkDnsName(identity)
  } catch (cause) {
    const why = `the identity is not a DNS name: ${reasonOf(cause)}`
    throw refusedPlainly('request', 'REQUEST_INVALID', why)
  }
  if (token.length === 0) throw refusedPlainly('request', 'REQUEST_INVALID', 'missing token')
  if (token.length > MAX_TOKEN_BYTES) {
    const why = `the token has ${token.length} bytes, expected at most ${MAX_TOKEN_BYTES}`
    throw refusedPlainly('request', 'REQUEST_INVALID', why)
  }
  if (der.length === 0) {
    throw refusedPlainly('request', 'REQUEST_INVALID', 'missing certificate signing request')
  }
  try {
    return { identity, token: token.toString('utf8'), csr: readCsr(der) }
  } catch (cause) {
    if (!(cause instanceof IdentityError)) throw cause
    throw refusedPlainly('csr', 'CSR_INVALID', reasonOf(cause))
  }
}

/** The CSR must ask for the identity by exactly one DNS name, and for nothing else. */
function checkNames({ dnsNames, nameForms, subject }: Csr, identity: string): void {
  const wrong = (why: string) => refusedPlainly('csr', 'PRECONDITION_FAILED', why)
  const [name, ...others] = dnsNames
  if (name === undefined || others.length > 0) {
    throw wrong(`the CSR has ${dnsNames.length} DNS names, expected one`)
  }
  if (name !== identity) {
    throw wrong(`the CSR is for ${JSON.stringify(name)}, expected ${JSON.stringify(identity)}`)
  }
  const commonName = commonNameOf(subject)
  if (commonName !== undefined && commonName !== identity) {
    throw wrong(`the CSR has another common name than its DNS name ${JSON.stringify(name)}`)
  }
  if ([...nameForms].some((form) => form !== NAME_FORM.dns)) {
    throw wrong('the CSR has names that are no DNS names')
  }
}

async function reviewed(
  token: string,
  identity: string,
  call: Call<Caller>,
  deps: LinkerdServiceDeps,
) {
  const answer = await review(token, call.signal, deps)
  if (answer.kind === 'unauthenticated') {
    const told = 'the token could not be authenticated'
    throw refused('token', { code: 'PRECONDITION_FAILED', message: told }, answer.why)
  }
  if (answer.kind === 'other') throw refusedPlainly('account', 'REQUEST_INVALID', answer.why)
  const { account, pod } = answer
  noteFacts(call, {
    account: `${account.namespace}/${account.name}`,
    ...(pod === undefined ? {} : { pod: pod.name }),
  })
  const own = linkerdIdentity(account, deps.naming)
  if (own === identity) return account
  const why = `requested identity ${JSON.stringify(identity)} is not that of the token, ${own}`
  throw refusedPlainly('identity', 'PRECONDITION_FAILED', why)
}

async function review(
  token: string,
  signal: AbortSignal,
  { cluster, tokenAudiences, takesApiServerTokens }: LinkerdServiceDeps,
): Promise<ReviewedAccount> {
  try {
    const answer = await reviewAccount(cluster, token, tokenAudiences, signal)
    if (answer.kind !== 'unauthenticated' || !takesApiServerTokens) return answer
    const fallback = await reviewAccount(cluster, token, [], signal)
    return fallback.kind === 'unauthenticated' ? answer : fallback
  } catch (cause) {
    if (!(cause instanceof IdentityError)) throw cause
    const told = { code: 'UNAVAILABLE', message: 'cannot review tokens now' } as const
    throw refused('token', told, reasonOf(cause), cause)
  }
}
