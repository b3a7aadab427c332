/**
 * Whether a pod gets a certificate, and for which identity: pure. Fails closed: without an entry that matches, or a
 * template that the operator wrote, nothing is signed, and what is not understood is denied.
 *
 * @see Mesh issuance §8 — check the entry, issue, write the status
 */
import type { ObjectMeta } from '../../kubernetes/object.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { type SpiffeId, spiffeId, type TrustDomain } from '../../spiffe/id.ts'
import { type Selector, sortSelectors } from '../../spiffe/selector.ts'
import { SKEW_SECONDS } from '../ca/validity.ts'
import type { EntryIndex } from '../entries/entry-index.ts'
import type { PrivilegedIds } from '../entries/privileged-ids.ts'
import { chooseEntry, readWish, type Wish, wishKeys } from './choose-entry.ts'
import { type FoundPod, nodeSelectors, podSelectors } from './find-pod.ts'
import { type IdentityTemplate, renderIdentity } from './identity-template.ts'
import { type PodCertificateRequest, requestedKey } from './request.ts'
import { type Denial, type DenialReason, MIN_LIFE_SECONDS } from './status.ts'

export interface DecideDeps {
  readonly trustDomain: TrustDomain
  /** As `k8s_psat` calls it. */
  readonly clusterName: string
  /** Undefined: entries say who gets what. */
  readonly template: IdentityTemplate | undefined
  readonly index: Pick<EntryIndex, 'authorizedFor'>
  /** Not given by a template, which asks for no selectors. */
  readonly privileged: PrivilegedIds
  readonly defaultTtlSeconds: number
}

export interface PodIdentity {
  readonly spki: Uint8Array
  readonly id: SpiffeId
  readonly dnsNames: readonly string[]
  readonly ttlSeconds: number
  /** Undefined: by the template. */
  readonly entryId: string | undefined
}

export type Decision =
  | { readonly kind: 'issue'; readonly identity: PodIdentity }
  | { readonly kind: 'deny'; readonly denial: Denial }
  /** What allows it may be on its way; a denial is for ever, so it comes only after a while. */
  | { readonly kind: 'wait'; readonly denial: Denial }

/** @returns what can be said without asking anybody; undefined when nothing is wrong so far */
function denyUnread(request: PodCertificateRequest): Denial | undefined {
  const { signerName, annotations } = request
  const wish = readWish(signerName, annotations)
  if (wish.kind === 'unknown') {
    const keys = wishKeys(signerName)
    const message = `the annotation ${JSON.stringify(wish.key)} is not understood, only ${keys.hint} and ${keys.spiffeId}`
    return { reason: 'InvalidUnverifiedUserAnnotations', message }
  }
  try {
    requestedKey(request)
    return undefined
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    const message = `${error.message}; take keyType ECDSAP256, ECDSAP384, ECDSAP521, RSA3072, RSA4096 or ED25519`
    return { reason: 'UnsupportedKeyType', message }
  }
}

/** The agent of the pod's node, whether or not there is one: entries under it are meant for what runs there. */
export function nodeAgentId(
  trustDomain: TrustDomain,
  clusterName: string,
  { node }: Pick<PodCertificateRequest, 'node'>,
): SpiffeId {
  return spiffeId(trustDomain, `/spire/agent/k8s_psat/${clusterName}/${node.uid}`)
}

/**
 * @param isBanned whether the agent of the pod's node is
 * @throws IdentityError UNAVAILABLE while entries are being loaded
 */
export function decide(
  request: PodCertificateRequest,
  found: FoundPod,
  isBanned: boolean,
  deps: DecideDeps,
): Decision {
  const unread = denyUnread(request)
  if (unread !== undefined) return { kind: 'deny', denial: unread }
  if (found.kind === 'other') return deny('PodMismatch', found.why)
  try {
    return decideFor(request, found.pod, isBanned, deps)
  } catch (error) {
    if (!(error instanceof IdentityError) || error.code !== 'SPIFFE_ID_INVALID') throw error
    return deny('InvalidIdentity', error.message)
  }
}

function decideFor(
  request: PodCertificateRequest,
  pod: ObjectMeta,
  isBanned: boolean,
  deps: DecideDeps,
): Decision {
  const agentId = nodeAgentId(deps.trustDomain, deps.clusterName, request)
  // What a banned agent may not give to this pod, its kubelet may not either.
  if (isBanned) return deny('NodeBanned', `the agent ${agentId} of the pod’s node is banned`)
  const { template } = deps
  return template === undefined
    ? byEntry(request, pod, agentId, deps)
    : byTemplate(request, template, deps)
}

function byEntry(
  request: PodCertificateRequest,
  pod: ObjectMeta,
  agentId: SpiffeId,
  { clusterName, index, defaultTtlSeconds }: DecideDeps,
): Decision {
  const selectors = podSelectors(request, pod)
  const entries = index.authorizedFor(agentId, nodeSelectors(clusterName, request))
  const read = readWish(request.signerName, request.annotations)
  const wish: Wish = read.kind === 'wish' ? read.wish : { hint: undefined, spiffeId: undefined }
  const entry = chooseEntry(entries, selectors, wish)
  if (entry === undefined) {
    const message = missingEntry(selectors, agentId, entries.length, wish)
    return { kind: 'wait', denial: { reason: 'NoRegistrationEntry', message } }
  }
  return withLife(request, entry.x509SvidTtlSeconds || defaultTtlSeconds, entry.id, {
    id: entry.spiffeId,
    dnsNames: entry.dnsNames,
  })
}

function byTemplate(
  request: PodCertificateRequest,
  template: IdentityTemplate,
  { trustDomain, clusterName, defaultTtlSeconds, privileged }: DecideDeps,
): Decision {
  const id = renderIdentity(
    template,
    {
      TrustDomain: trustDomain,
      ClusterName: clusterName,
      'PodMeta.Namespace': request.meta.namespace,
      'PodMeta.Name': request.pod.name,
      'PodMeta.UID': request.pod.uid,
      'PodSpec.ServiceAccountName': request.serviceAccount,
      'PodSpec.NodeName': request.node.name,
    },
    trustDomain,
  )
  const why = privileged.reasonAgainst(id)
  if (why !== undefined) return deny('PrivilegedIdentity', why)
  return withLife(request, defaultTtlSeconds, undefined, { id, dnsNames: [] })
}

/** Shorter than asked for is fine; longer than the operator lets SVIDs live is not. */
function withLife(
  request: PodCertificateRequest,
  wantedSeconds: number,
  entryId: string | undefined,
  identity: { readonly id: SpiffeId; readonly dnsNames: readonly string[] },
): Decision {
  const ttlSeconds = Math.min(wantedSeconds, request.maxSeconds - SKEW_SECONDS)
  if (ttlSeconds + SKEW_SECONDS < MIN_LIFE_SECONDS) {
    const whose = entryId === undefined ? 'default_x509_svid_ttl' : `entry ${entryId}`
    return deny(
      'LifetimeTooShort',
      `${whose} lets X509-SVIDs live for ${wantedSeconds} s, but Kubernetes takes none of less than ${MIN_LIFE_SECONDS} s`,
    )
  }
  const spki = requestedKey(request)
  return { kind: 'issue', identity: { ...identity, spki, ttlSeconds, entryId } }
}

function missingEntry(
  selectors: ReadonlySet<Selector>,
  agentId: SpiffeId,
  others: number,
  { hint, spiffeId: id }: Wish,
): string {
  const wished = [
    hint === undefined ? '' : ` with hint ${JSON.stringify(hint)}`,
    id === undefined ? '' : ` for ${JSON.stringify(id)}`,
  ].join('')
  const all = sortSelectors([...selectors]).join(', ')
  return `none of ${others} registration entries of the pod’s node${wished} matches the pod; create one with parent ID ${agentId}, or that of a node alias of k8s_psat, and selectors among ${all}`
}

function deny(reason: DenialReason, message: string): Decision {
  return { kind: 'deny', denial: { reason, message } }
}
