/**
 * Signs PodCertificateRequests of one cluster: follows those that name our signer, decides each, and writes the answer
 * into its status against the version that was read. Several servers may do so side by side: the API server takes the
 * first answer, and the others see that it is given.
 *
 * Permissions: `list` and `watch` of `podcertificaterequests`, `patch` of their status, `sign` on the signer, `get` of
 * `pods` and `nodes`.
 *
 * @see Mesh issuance §8
 */
import type { Cluster } from '../../kubernetes/cluster.ts'
import { copyObjects } from '../../kubernetes/follow-objects.ts'
import { servedVersion } from '../../kubernetes/served-version.ts'
import { statusOf } from '../../kubernetes/status.ts'
import type { Log } from '../../log/open-log.ts'
import { createBell } from '../../spiffe/bell.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { SpiffeId } from '../../spiffe/id.ts'
import type { Random } from '../../spiffe/random.ts'
import type { Issuer } from '../issue/issuer.ts'
import { type DecideDeps, type Decision, decide, nodeAgentId } from './decide.ts'
import { findPod } from './find-pod.ts'
import { type PodCertificateRequest, readPodCertificateRequest } from './request.ts'
import { deniedStatus, issuedStatus, lifeSecondsOf, MIN_LIFE_SECONDS } from './status.ts'

export interface SignRequestsDeps extends DecideDeps {
  readonly cluster: Cluster
  readonly signerName: string
  /** How long an entry that allows a request is waited for. */
  readonly entryWaitSeconds: number
  readonly issuer: Pick<Issuer, 'issueWorkloadX509Svid'>
  /** Whether the agent with this ID is banned. */
  readonly isBanned: (agentId: SpiffeId) => Promise<boolean>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

const GROUP = 'certificates.k8s.io'
const RESOURCE = 'podcertificaterequests'
const VERSIONS = ['v1', 'v1beta1']

/** Requests that are worked on at once. */
const AT_ONCE = 8
const FIRST_RETRY_MS = 250
const MAX_RETRY_MS = 5_000
/** After an answer was written, the watch tells that it was; should it not, this is when we look again. */
const ANSWERED_MS = 5 * 60_000
/** How often a cluster that serves no such kind is asked again. */
const NOT_SERVED_MS = 60 * 60_000
const LOOK_AGAIN_MS = 60 * 60_000

/** Where we are with one request. */
interface Attempt {
  readonly firstSeenMs: number
  readonly retryAtMs: number
  readonly retryMs: number
}

/** Runs until the signal aborts; never rejects. */
export async function signRequests(deps: SignRequestsDeps, signal: AbortSignal): Promise<void> {
  const version = await findVersion(deps, signal)
  if (version === undefined) return
  const path = `/apis/${GROUP}/${version}/${RESOURCE}`
  const { signerName, clock } = deps
  const changed = createBell()
  /** By UID; what the copy has no more is forgotten after each round. */
  const attempts = new Map<string, Attempt>()
  const copy = copyObjects<PodCertificateRequest>({
    ...deps,
    path,
    query: { fieldSelector: `spec.signerName=${signerName}` },
    // Fails closed: what is for another signer is not signed, though the API server was asked for ours alone.
    read(object, meta) {
      const request = readPodCertificateRequest(object, meta)
      return request?.signerName === signerName ? request : undefined
    },
    changed: changed.ring,
  })
  const following = copy.follow(signal)
  while (!signal.aborted) {
    changed.reset()
    const nowMs = clock.now().getTime()
    const due = [...copy.values()].filter(
      ({ meta }) => (attempts.get(meta.uid)?.retryAtMs ?? 0) <= nowMs,
    )
    for (let from = 0; from < due.length && !signal.aborted; from += AT_ONCE) {
      const batch = due.slice(from, from + AT_ONCE)
      await Promise.all(batch.map((request) => attend(request, attempts, deps, version, signal)))
    }
    forgetAllBut(copy.values(), attempts)
    // What came meanwhile has rung, so that only what was tried is waited for.
    let nextMs = Number.POSITIVE_INFINITY
    for (const { retryAtMs } of attempts.values()) nextMs = Math.min(nextMs, retryAtMs)
    const pauseMs = Math.min(LOOK_AGAIN_MS, Math.max(0, nextMs - clock.now().getTime()))
    await clock.sleep(pauseMs, AbortSignal.any([signal, changed.signal()]))
  }
  await following
}

function forgetAllBut(
  pending: Iterable<PodCertificateRequest>,
  attempts: Map<string, Attempt>,
): void {
  const uids = new Set([...pending].map(({ meta }) => meta.uid))
  for (const uid of attempts.keys()) if (!uids.has(uid)) attempts.delete(uid)
}

/** Waits until the API server serves the kind; undefined when the signal aborts first. */
async function findVersion(
  { cluster, clock, random, log, signerName }: SignRequestsDeps,
  signal: AbortSignal,
): Promise<string | undefined> {
  let retryMs = FIRST_RETRY_MS
  let isTold = false
  while (!signal.aborted) {
    try {
      const asked = { group: GROUP, resource: RESOURCE, versions: VERSIONS, signal }
      const version = await servedVersion(cluster, asked)
      if (version !== undefined) return version
      if (!isTold) {
        log.warn(
          { server: cluster.server, signer_name: signerName },
          'The API server serves no PodCertificateRequests; they are looked for again each hour',
        )
      }
      isTold = true
      retryMs = NOT_SERVED_MS
    } catch (err) {
      if (signal.aborted) return undefined
      log.error({ err, retry_ms: retryMs }, 'Could not ask the API server what it serves')
      retryMs = Math.min(retryMs * 2, MAX_RETRY_MS)
    }
    await clock.sleep(retryMs * (0.5 + random() / 2), signal)
  }
  return undefined
}

/** One attempt at one request; never rejects. */
async function attend(
  request: PodCertificateRequest,
  attempts: Map<string, Attempt>,
  deps: SignRequestsDeps,
  version: string,
  signal: AbortSignal,
): Promise<void> {
  const { uid, namespace, name } = request.meta
  const { clock, log, entryWaitSeconds } = deps
  const nowMs = clock.now().getTime()
  const before = attempts.get(uid) ?? {
    ...{ firstSeenMs: nowMs, retryAtMs: nowMs, retryMs: FIRST_RETRY_MS },
  }
  const again = (ms: number) => {
    const retryMs = Math.min(before.retryMs * 2, MAX_RETRY_MS)
    attempts.set(uid, { ...before, retryAtMs: clock.now().getTime() + ms, retryMs })
  }
  const fields = { namespace, name, pod: request.pod.name, service_account: request.serviceAccount }
  try {
    const found = await findPod(deps.cluster, request, signal)
    // Only of a node that is there has anybody looked at the UID.
    const isBanned =
      found.kind === 'found' &&
      (await deps.isBanned(nodeAgentId(deps.trustDomain, deps.clusterName, request)))
    const decision = decide(request, found, isBanned, deps)
    const leftMs = before.firstSeenMs + entryWaitSeconds * 1000 - nowMs
    if (decision.kind === 'wait' && leftMs > 0) return again(Math.min(before.retryMs, leftMs))
    await answer(request, decision, deps, version, signal, fields)
    again(ANSWERED_MS)
  } catch (err) {
    if (signal.aborted) return
    // Somebody else answered, or it is gone: the watch says so in a moment.
    if (statusOf(err) !== 409 && statusOf(err) !== 404) {
      log.error({ ...fields, err }, 'PodCertificateRequest could not be answered')
    }
    again(before.retryMs)
  }
}

async function answer(
  request: PodCertificateRequest,
  decision: Decision,
  deps: SignRequestsDeps,
  version: string,
  signal: AbortSignal,
  fields: Readonly<Record<string, string>>,
): Promise<void> {
  const { clock, log } = deps
  if (decision.kind !== 'issue') {
    const { denial } = decision
    await write(request, deniedStatus(denial, clock.now()), deps, version, signal)
    log.warn({ ...fields, reason: denial.reason }, 'PodCertificateRequest denied')
    return
  }
  const { id, spki, dnsNames, ttlSeconds, entryId } = decision.identity
  // Nobody can tell when a pod stops using it, so it counts as used until it ends.
  const issued = await deps.issuer.issueWorkloadX509Svid({ id, spki, dnsNames, ttlSeconds })
  if (lifeSecondsOf(issued) < MIN_LIFE_SECONDS) {
    throw new IdentityError(
      'UNAVAILABLE',
      `the active authority ends within ${MIN_LIFE_SECONDS} s, and Kubernetes takes no shorter certificate: waiting for the next one; ca_ttl should be 6h or more`,
    )
  }
  await write(request, issuedStatus(issued, clock.now()), deps, version, signal)
  const by = entryId === undefined ? {} : { entry_id: entryId }
  log.info({ ...fields, ...by, spiffe_id: id }, 'PodCertificateRequest issued')
}

async function write(
  { meta }: PodCertificateRequest,
  status: object,
  { cluster }: SignRequestsDeps,
  version: string,
  signal: AbortSignal,
): Promise<void> {
  await cluster.request({
    ...{ method: 'PATCH', signal },
    path: `/apis/${GROUP}/${version}/namespaces/${meta.namespace}/${RESOURCE}/${meta.name}/status`,
    body: { metadata: { uid: meta.uid, resourceVersion: meta.resourceVersion }, status },
  })
}
