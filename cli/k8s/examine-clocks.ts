/**
 * Whether the clocks of the cluster agree: SVIDs and tokens are believed by them. The API server tells its own in what it
 * makes, and nodes tell theirs in the leases that their kubelets renew.
 */
import type { Cluster } from '../../kubernetes/cluster.ts'
import { listObjects } from '../../kubernetes/list-objects.ts'
import { readMeta, recordAt, timeAt } from '../../kubernetes/object.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { Examined, Finding } from './check.ts'

/** More than this, and SVIDs of one are not valid yet for another: they are made valid 10 s before. */
const MOST_APART_MS = 10_000
/** Kubelets renew every 10 s; one that has not for this long is away, or its clock is behind. */
const OLDEST_RENEWAL_MS = 60_000

export interface NodeRenewal {
  readonly node: string
  readonly renewedAt: Date
}

/** The API server's clock, in whole seconds: the time of an object that it makes up and does not keep. */
export async function readClusterTime(cluster: Cluster, namespace: string): Promise<Date> {
  const answer = await cluster.request({
    ...{ method: 'POST', path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps` },
    query: { dryRun: 'All' },
    body: {
      ...{ apiVersion: 'v1', kind: 'ConfigMap' },
      metadata: { generateName: 'steeple-doctor-' },
    },
  })
  const time = timeAt(recordAt(answer, 'metadata'), 'creationTimestamp')
  if (time === undefined) throw new IdentityError('UNAVAILABLE', 'the API server told no time')
  return time
}

export async function readRenewals(cluster: Cluster): Promise<readonly NodeRenewal[]> {
  const path = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases'
  const leases = await listObjects(cluster, path)
  return leases.flatMap((lease) => {
    const renewedAt = timeAt(recordAt(lease, 'spec'), 'renewTime')
    const node = readMeta(lease)?.name
    return node === undefined || renewedAt === undefined ? [] : [{ node, renewedAt }]
  })
}

/** @param here our own clock when the API server told its own */
export function examineClocks(
  apiServer: Date,
  here: Date,
  renewals: readonly NodeRenewal[],
): Examined {
  const findings: Finding[] = []
  // The API server cuts to whole seconds.
  const apart = Math.abs(here.getTime() - apiServer.getTime() - 500)
  if (apart > MOST_APART_MS) {
    findings.push({
      severity: 'warning',
      subject: 'clock of this machine',
      problem: `it is ${Math.round(apart / 1000)} s away from that of the API server`,
      remedy: 'set the clock of whichever is wrong, e.g. by NTP',
    })
  }
  for (const { node, renewedAt } of renewals) {
    const ahead = renewedAt.getTime() - apiServer.getTime() - 1000
    const subject = `clock of node ${node}`
    const remedy = 'set its clock, e.g. by NTP'
    if (ahead > MOST_APART_MS) {
      const problem = `it is ${Math.round(ahead / 1000)} s ahead of that of the API server`
      findings.push({ severity: 'problem', subject, problem, remedy })
    } else if (-ahead > OLDEST_RENEWAL_MS) {
      const problem = `its kubelet renewed its lease at ${renewedAt.toISOString()} by its own clock: it is away, or its clock is behind`
      findings.push({
        severity: 'warning',
        subject,
        problem,
        remedy: `kubectl describe node ${node}`,
      })
    }
  }
  return { seen: `${renewals.length} nodes within ${MOST_APART_MS / 1000} s`, findings }
}
