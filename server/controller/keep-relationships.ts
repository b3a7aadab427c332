/**
 * Carries out what the cluster declares of federation. Which relationships are the controller's is remembered in a file
 * of the data directory, because a relationship has no name that could tell; without the file none is, and none is removed.
 */
import { join } from 'node:path'
import { z } from 'zod'
import { readJson } from '../../disk/read-json.ts'
import { replaceFile } from '../../disk/replace-file.ts'
import type { Log } from '../../log/open-log.ts'
import { parseTrustDomain, type TrustDomain } from '../../spiffe/id.ts'
import type { FederationRelationship } from '../federation/relationship.ts'
import { eachPage } from '../store/page.ts'
import type { FederationStore } from '../store/store.ts'
import {
  type DesiredRelationships,
  planRelationships,
  type RelationshipStep,
} from './desired-relationships.ts'

export interface KeepRelationshipsDeps {
  readonly federation: FederationStore
  readonly dataDir: string
  readonly log: Log
  /** A relationship was written. */
  readonly onWritten: () => void
  /** @throws when we may not write any more */
  mustLead(): void
  audit(method: string, trustDomain: TrustDomain): void
}

export interface KeptRelationships {
  /** @returns UID of an object → why it does not count. @throws IdentityError UNAVAILABLE */
  settle(): Promise<ReadonlyMap<string, string>>
}

const FILE = 'controller-relationships.json'
const SCHEMA = z.object({ trust_domains: z.array(z.string()) })
const MAX_FILE_BYTES = 1024 * 1024
const ADVICE = 'remove it: the controller then leaves the relationships it made before as they are'

/** @throws IdentityError CONFIG_INVALID for a damaged file */
export async function keepRelationships(
  desired: DesiredRelationships,
  deps: KeepRelationshipsDeps,
): Promise<KeptRelationships> {
  const path = join(deps.dataDir, FILE)
  const file = await readJson(path, SCHEMA, { advice: ADVICE, maxBytes: MAX_FILE_BYTES })
  const owned = new Set((file?.trust_domains ?? []).map(parseTrustDomain))
  const remember = () =>
    replaceFile(path, JSON.stringify({ trust_domains: [...owned].sort() }), { durable: true })
  const apply = async (step: RelationshipStep) => {
    deps.mustLead()
    const trustDomain = 'spec' in step ? step.spec.relationship.trustDomain : step.trustDomain
    // Ours in the file before in the store: a crash in between leaves one too many in the file, which does no harm.
    if (step.kind !== 'remove' && !owned.has(trustDomain)) {
      owned.add(trustDomain)
      await remember()
    }
    await write(step, trustDomain, deps)
    if (step.kind === 'remove') {
      owned.delete(trustDomain)
      await remember()
    }
  }
  return {
    async settle() {
      const present = new Map<TrustDomain, FederationRelationship>()
      for await (const page of eachPage((request) => deps.federation.list(request))) {
        for (const relationship of page) present.set(relationship.trustDomain, relationship)
      }
      const { steps, problems } = planRelationships(desired.resources.values(), present, owned)
      for (const step of steps) await apply(step)
      return problems
    },
  }
}

async function write(
  step: RelationshipStep,
  trustDomain: TrustDomain,
  { federation, onWritten, audit, log }: KeepRelationshipsDeps,
): Promise<void> {
  switch (step.kind) {
    case 'adopt':
      log.info({ trust_domain: trustDomain }, 'Took over a federation relationship')
      return
    case 'remove':
      await federation.remove(trustDomain)
      audit('BatchDeleteFederationRelationship', trustDomain)
      break
    case 'create':
      await federation.create(step.spec.relationship, step.spec.bundle)
      audit('BatchCreateFederationRelationship', trustDomain)
      break
    case 'update':
      await federation.update(trustDomain, () => step.spec.relationship, step.spec.bundle)
      audit('BatchUpdateFederationRelationship', trustDomain)
      break
    default:
      step satisfies never
  }
  onWritten()
}
