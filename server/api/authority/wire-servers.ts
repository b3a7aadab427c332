/** The servers of the trust domain and their authorities, on the wire. */
import type { GetOverviewResponseInput } from '../../../proto/gen/steeple/server/authority/v1/GetOverviewResponse.ts'
import type { ServerInput } from '../../../proto/gen/steeple/server/authority/v1/Server.ts'
import type { ServerStateInput } from '../../../proto/gen/steeple/server/authority/v1/ServerState.ts'
import type { Followers } from '../../servers/followers.ts'
import type { ListedServer, Overview, ServerOverview, ServerState } from '../../servers/overview.ts'
import type { SlotIds } from '../../servers/server-document.ts'
import { toWireActivation, toWireStanding } from './wire-standing.ts'

const STATES: Readonly<Record<ServerState | 'living', ServerStateInput>> = {
  here: 'HERE',
  living: 'LIVING',
  answering: 'LIVING',
  mute: 'MUTE',
  silent: 'SILENT',
  stopped: 'STOPPED',
}

type Told = Omit<ListedServer, 'state'> & { readonly state: ServerState | 'living' }

export function toWireServer({ key, state, seenMsAgo, document }: Told): ServerInput {
  return {
    ...{ key, state: STATES[state], seen_seconds_ago: Math.floor(seenMsAgo / 1_000) },
    ...{ name: document?.name ?? '', address: document?.address ?? '' },
    version: document?.version ?? '',
    started_at: Math.floor((document?.startedAtMs ?? 0) / 1_000),
    ...{ x509: toSlots(document?.x509), jwt: toSlots(document?.jwt) },
  }
}

function toSlots(slots: SlotIds = {}) {
  const { prepared = '', active = '', old = '' } = slots
  return { prepared, active, old }
}

export function toWireOverview(
  { servers, others, followers, expiredAgents }: Overview & Followers,
  hasUpstream: boolean,
): GetOverviewResponseInput {
  return {
    servers: servers.map(toServerProgress),
    others: others.flatMap((one) => toWireStanding(one) ?? []),
    has_upstream: hasUpstream,
    follower_count: followers.length,
    expired_agent_count: expiredAgents,
  }
}

function toServerProgress({ server, state, prepared, active, old, activation }: ServerOverview) {
  return {
    server: toWireServer({ ...server, state }),
    ...{ prepared: toWireStanding(prepared), active: toWireStanding(active) },
    old: toWireStanding(old),
    activation: toWireActivation(activation),
  }
}
