/** Who is to follow the bundle of the trust domain: agents that are admitted, and whoever may be a server below. */
import type { Follower } from '../issue/progress.ts'
import { eachPage } from '../store/page.ts'
import type { EntryStore, NodeStore } from '../store/store.ts'

export interface FollowersDeps {
  readonly nodes: Pick<NodeStore, 'list'>
  readonly entries: Pick<EntryStore, 'list'>
}

export interface Followers {
  readonly followers: readonly Follower[]
  /** Their SVID has expired: they attest anew before anything else. */
  readonly expiredAgents: number
}

export async function followersOf(
  { nodes, entries }: FollowersDeps,
  now: Date,
): Promise<Followers> {
  const followers: Follower[] = []
  let expiredAgents = 0
  for await (const page of eachPage((request) => nodes.list({ banned: false }, request))) {
    for (const { id, serialNumber, expiresAt } of page) {
      if (expiresAt <= now) expiredAgents += 1
      else followers.push({ id, kind: 'agent', svid: { serialNumber, expiresAt } })
    }
  }
  const downstream = new Set<Follower['id']>()
  for await (const page of eachPage((request) => entries.list({ downstream: true }, request))) {
    for (const { spiffeId } of page) downstream.add(spiffeId)
  }
  for (const id of downstream) followers.push({ id, kind: 'downstream' })
  return { followers, expiredAgents }
}
