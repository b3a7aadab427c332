/**
 * Which federation relationships the cluster declares, and what is to be done so that the controller's are those. Of two
 * objects for one trust domain the older one counts. Relationships that somebody else made are left as they are; one that
 * is just as declared becomes the controller's, so that those of spire-controller-manager are taken over.
 */
import type { ObjectChange } from '../../kubernetes/follow-objects.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import type { FederationRelationship } from '../federation/relationship.ts'
import type { FederatedTrustDomainSpec } from './cluster-federated-trust-domain.ts'
import { type CustomResource, isSpecChange } from './custom-resource.ts'

export type FederatedResource = CustomResource<FederatedTrustDomainSpec>

export interface DesiredRelationships {
  readonly resources: ReadonlyMap<string, FederatedResource>
  changed(change: ObjectChange<FederatedResource>): void
  /** Whether something was declared otherwise since the last call. */
  takeChanged(): boolean
}

export function createDesiredRelationships(): DesiredRelationships {
  const resources = new Map<string, FederatedResource>()
  let hasChanged = false
  return {
    resources,
    changed(change) {
      if (change.kind === 'removed') {
        hasChanged = true
        resources.delete(change.before.meta.uid)
        return
      }
      resources.set(change.object.meta.uid, change.object)
      hasChanged ||= isSpecChange(change.object, change.before)
    },
    takeChanged() {
      const taken = hasChanged
      hasChanged = false
      return taken
    },
  }
}

export type RelationshipStep =
  | { readonly kind: 'create' | 'update'; readonly spec: FederatedTrustDomainSpec }
  | { readonly kind: 'remove'; readonly trustDomain: TrustDomain }
  | { readonly kind: 'adopt'; readonly trustDomain: TrustDomain }

export interface RelationshipPlan {
  readonly steps: readonly RelationshipStep[]
  /** UID of an object → why it does not count. */
  readonly problems: ReadonlyMap<string, string>
}

/** @param owned trust domains whose relationships the controller made or took over */
export function planRelationships(
  resources: Iterable<FederatedResource>,
  present: ReadonlyMap<TrustDomain, FederationRelationship>,
  owned: ReadonlySet<TrustDomain>,
): RelationshipPlan {
  const problems = new Map<string, string>()
  const wanted = new Map<TrustDomain, FederatedResource>()
  const steps: RelationshipStep[] = []
  for (const resource of [...resources].sort(byAge)) {
    const { uid } = resource.meta
    if (resource.spec.kind === 'unreadable') {
      problems.set(uid, resource.spec.reason)
      continue
    }
    const spec = resource.spec.value
    const { trustDomain } = spec.relationship
    const older = wanted.get(trustDomain)
    if (older !== undefined) {
      problems.set(uid, `${older.meta.name} declares trust domain "${trustDomain}" already`)
      continue
    }
    wanted.set(trustDomain, resource)
    const current = present.get(trustDomain)
    if (current === undefined) steps.push({ kind: 'create', spec })
    else if (isSame(current, spec.relationship)) {
      if (!owned.has(trustDomain)) steps.push({ kind: 'adopt', trustDomain })
    } else if (owned.has(trustDomain)) steps.push({ kind: 'update', spec })
    else problems.set(uid, foreign(trustDomain))
  }
  for (const trustDomain of owned) {
    if (!wanted.has(trustDomain)) steps.push({ kind: 'remove', trustDomain })
  }
  return { steps, problems }
}

function foreign(trustDomain: TrustDomain): string {
  return `there is another relationship with trust domain "${trustDomain}", which the controller did not make; delete it, or declare the same`
}

function byAge(a: FederatedResource, b: FederatedResource): number {
  const createdAt = (a.source.createdAt?.getTime() ?? 0) - (b.source.createdAt?.getTime() ?? 0)
  return createdAt !== 0 ? createdAt : a.meta.uid < b.meta.uid ? -1 : 1
}

function isSame(a: FederationRelationship, b: FederationRelationship): boolean {
  const idOf = ({ profile }: FederationRelationship) =>
    profile.kind === 'https_spiffe' ? profile.endpointId : ''
  return a.endpointUrl === b.endpointUrl && a.profile.kind === b.profile.kind && idOf(a) === idOf(b)
}
