/**
 * `istio.v1.auth.IstioCertificateService`: certificates for Istio's sidecars and ztunnels. The name that is signed comes
 * from the caller's token, or is one that its node may ask for; never from the CSR. Fails closed at every step.
 *
 * @see Mesh issuance §2
 */
import type { Metadata } from '@grpc/grpc-js'
import type { IstioCertificateRequest } from '../../../proto/gen/istio/v1/auth/IstioCertificateRequest.ts'
import type { IstioCertificateServiceHandlers } from '../../../proto/gen/istio/v1/auth/IstioCertificateService.ts'
import type { Call, Implementation } from '../../../proto/serve.ts'
import type { Bundle } from '../../../spiffe/bundle.ts'
import { IdentityError, reasonOf } from '../../../spiffe/error.ts'
import type { SpiffeId, TrustDomain } from '../../../spiffe/id.ts'
import type { Csr } from '../../../spiffe/x509/csr.ts'
import type { EntryIndex } from '../../entries/entry-index.ts'
import type { PrivilegedIds } from '../../entries/privileged-ids.ts'
import type { Issuer } from '../../issue/issuer.ts'
import type { Caller } from '../../listen/caller.ts'
import type { Limit } from '../../listen/rate-limits.ts'
import { noteFacts } from '../facts.ts'
import { refused, refusedPlainly, refusePrivileged } from '../refusal.ts'
import { readPemCsr } from '../requested-csr.ts'
import type { TokenAccount } from '../service-account.ts'
import { authenticate, type MeshCluster, pickCluster, readHeaders } from './authenticate.ts'
import { certChain } from './cert-chain.ts'
import { findEntry } from './find-entry.ts'
import { istioIdentity, parseIstioIdentity } from './istio-identity.ts'
import { judgeNode, nameOf } from './judge-node.ts'
import type { NodePod, NodePods } from './node-pods.ts'
import { checkNames, readImpersonated, readValidity, refuseSigner } from './read-request.ts'

export interface IstioCaServiceDeps {
  readonly trustDomain: TrustDomain
  readonly clusters: ReadonlyMap<string, MeshCluster>
  readonly localCluster: string | undefined
  readonly tokenAudiences: readonly string[]
  readonly trustedNodeAccounts: ReadonlySet<string>
  /** Undefined: every service account gets its own identity, without an entry. */
  readonly entries: Pick<EntryIndex, 'ofSpiffeId'> | undefined
  /** A token proves less than an entry may ask for, and the proxy of a node is not the workload. */
  readonly privileged: PrivilegedIds
  readonly defaultTtlSeconds: number
  readonly maxTtlSeconds: number
  readonly issuer: Pick<Issuer, 'issueWorkloadX509Svid'>
  readonly bundle: { current(): Bundle }
  readonly limit: Limit
}

type IstioCall = Call<Caller> & { readonly metadata: Metadata }

/** Whose certificate it is to be, and on which pod's account. */
interface Subject {
  readonly id: SpiffeId
  readonly account: TokenAccount['account']
  readonly pod: NodePod | undefined
}

const IMPERSONATION = {
  code: 'CALLER_UNIDENTIFIED',
  message: 'request impersonation authentication failure',
} as const
/** How long a pod that was just made is waited for: the copy of a busy cluster is a second behind. */
const POD_WAIT_MS = 2_000

export function istioCaService(
  deps: IstioCaServiceDeps,
): Implementation<Caller, IstioCertificateServiceHandlers> {
  return {
    async CreateCertificate(request, call) {
      await deps.limit(call, 1)
      const { cluster, caller } = await whoAsks(call, deps)
      const subject = await whoseName(request, caller, cluster, call, deps)
      noteFacts(call, { identity: subject.id })
      refusePrivileged(deps.privileged, subject.id)
      const { csr, seconds } = readBody(request, subject.id, deps)
      const ttlSeconds = allowedSeconds(subject, seconds, deps)
      const issued = await deps.issuer.issueWorkloadX509Svid({
        ...{ id: subject.id, spki: csr.spki, dnsNames: [], ttlSeconds },
      })
      noteFacts(call, { expiresAt: issued.expiresAt })
      return { cert_chain: [...certChain(issued.chain, deps.bundle.current())] }
    },
  }
}

async function whoAsks(call: IstioCall, deps: IstioCaServiceDeps) {
  const { clusterId, token } = readHeaders(call.metadata)
  if (clusterId !== '') noteFacts(call, { cluster: clusterId })
  const cluster = pickCluster(clusterId, deps.clusters, deps.localCluster)
  const caller = await authenticate(cluster, token, deps.tokenAudiences, call.signal)
  const pod = caller.pod === undefined ? {} : { pod: caller.pod.name }
  noteFacts(call, { cluster: cluster.name, account: nameOf(caller.account), ...pod })
  return { cluster, caller }
}

async function whoseName(
  { metadata }: IstioCertificateRequest,
  caller: TokenAccount,
  { name, pods }: MeshCluster,
  call: IstioCall,
  { trustDomain, trustedNodeAccounts, entries }: IstioCaServiceDeps,
): Promise<Subject> {
  const wanted = asked(() => readImpersonated(metadata))
  if (wanted === undefined) {
    const { account } = caller
    const pod = entries === undefined ? undefined : await ownPod(caller, pods, call.signal)
    return { id: istioIdentity(trustDomain, account), account, pod }
  }
  noteFacts(call, { identity: wanted })
  const { id, account } = parsedIdentity(wanted, trustDomain)
  const judge = () => judgeNode(caller, account, trustedNodeAccounts, pods)
  const verdict = await pods.settle(judge, POD_WAIT_MS, call.signal)
  if (verdict.kind === 'allow') return { id, account, pod: verdict.pod }
  if (verdict.check === 'node' && !pods.isComplete) {
    const why = `the pods of cluster ${name} are not known yet${problemOf(pods.problem())}`
    const message = 'cannot authenticate requests now'
    throw refused('node', { code: 'UNAVAILABLE', message }, why)
  }
  throw refused(verdict.check, IMPERSONATION, `cluster ${name}: ${verdict.why}`)
}

/** The pod whose facts an entry may ask for; undefined when its token is of none, or none of that UID is known. */
async function ownPod(
  { account, pod }: TokenAccount,
  pods: NodePods,
  signal: AbortSignal,
): Promise<NodePod | undefined> {
  if (pod === undefined) return undefined
  const look = () => {
    const found = pods.find(account.namespace, pod.name)
    const isFinal = found?.meta.uid === pod.uid && found.serviceAccount === account.name
    return { isFinal, own: isFinal ? found : undefined }
  }
  return (await pods.settle(look, POD_WAIT_MS, signal)).own
}

function parsedIdentity(wanted: string, trustDomain: TrustDomain) {
  try {
    return parseIstioIdentity(wanted, trustDomain)
  } catch (cause) {
    if (!(cause instanceof IdentityError)) throw cause
    throw refused('identity', IMPERSONATION, reasonOf(cause), cause)
  }
}

function readBody(
  { csr: text, validity_duration: wanted, metadata }: IstioCertificateRequest,
  id: SpiffeId,
  { defaultTtlSeconds: defaultSeconds, maxTtlSeconds: maxSeconds }: IstioCaServiceDeps,
): { readonly csr: Csr; readonly seconds: number } {
  asked(() => refuseSigner(metadata))
  const seconds = asked(() => readValidity(wanted, { defaultSeconds, maxSeconds }))
  try {
    const csr = readPemCsr(text)
    checkNames(csr, id)
    return { csr, seconds }
  } catch (cause) {
    if (!(cause instanceof IdentityError)) throw cause
    const reason = reasonOf(cause)
    throw refused('csr', { code: 'CSR_INVALID', message: `CSR signing error (${reason})` }, reason)
  }
}

function allowedSeconds(
  { id, account, pod }: Subject,
  seconds: number,
  { entries }: IstioCaServiceDeps,
): number {
  if (entries === undefined) return seconds
  const entry = findEntry(entries, id, account, pod)
  if (entry === undefined) {
    const why = `no registration entry of SPIFFE ID ${id} has selectors that the pod has, such as k8s:ns:${account.namespace} and k8s:sa:${account.name}`
    throw refusedPlainly('entry', 'NO_IDENTITY_ISSUED', why)
  }
  const { x509SvidTtlSeconds: most } = entry
  return most === 0 ? seconds : Math.min(seconds, most)
}

function asked<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof IdentityError)) throw cause
    throw refusedPlainly('request', cause.code, reasonOf(cause))
  }
}

function problemOf(problem: string | undefined): string {
  return problem === undefined ? '' : `: ${problem}`
}
