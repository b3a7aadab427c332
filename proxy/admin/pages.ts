/**
 * What operators may see of a running proxy, as plain data for JSON: no key and no token is in any of it. Dates are in ISO 8601.
 */
import { showAddress } from '../../config/address.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { parseCertificate } from '../../spiffe/x509/certificate.ts'
import type { KillSwitchState } from '../enforce/kill-switch.ts'
import type { AdminOptions, Shown } from './serve-admin.ts'

/** Connections that are listed; all are counted. */
const MAX_LISTED = 1_000

export function statusPage(options: Shown): object {
  const { engine, source, killSwitch, listeners, self, version, seen } = options
  const workers = options
    .workers()
    .map(({ isServing, ...one }) => ({ ...one, is_serving: isServing }))
  const { loadedAt, ...policies } = source.status()
  return {
    version,
    workload: engine.inForce().workload,
    trust_domain: self.mesh.trustDomain,
    identity: identityStatus(options),
    listeners: listeners.map(({ name, address }) => ({ name, address: showAddress(address) })),
    policies: { ...policies, loaded_at: loadedAt },
    token_issuers: seen.issuers.map(({ fetchedAt, ...rest }) => ({
      ...rest,
      fetched_at: fetchedAt,
    })),
    kill_switch: killSwitchPage(killSwitch.state()),
    connections: seen.total,
    access_log_lines_dropped: seen.dropped,
    ...(workers.length === 0 ? {} : { workers }),
  }
}

function identityStatus({ identity }: AdminOptions): object {
  try {
    const { id, expiresAt } = identity.current().defaultSvid
    return { spiffe_id: id, expires_at: expiresAt }
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    return { problem: error.message }
  }
}

/** The policy in force: what the source says, or what the emergency switch has made of it. */
export function policyPage({ engine }: AdminOptions): object {
  const { snapshot, workload, mtls, http, tcp, isKilled } = engine.inForce()
  return {
    workload,
    is_killed: isKilled,
    mtls: modesOf(mtls),
    http: http.policies.map(({ policy }) => `${policy.namespace}/${policy.name}`),
    tcp: tcp.policies.map(({ policy }) => `${policy.namespace}/${policy.name}`),
    mesh: snapshot.mesh,
    authorization_policies: snapshot.authorizationPolicies,
    peer_authentications: snapshot.peerAuthentications.map((one) => ({
      ...one,
      portModes: Object.fromEntries(one.portModes),
    })),
    request_authentications: snapshot.requestAuthentications,
  }
}

function modesOf(mtls: ReturnType<AdminOptions['engine']['inForce']>['mtls']): object {
  const { mode, perPort, sources, overruled } = mtls
  return { mode, ports: Object.fromEntries(perPort), sources, overruled }
}

export function certificatesPage({ identity }: AdminOptions): object {
  const { svids, bundles } = identity.current()
  return {
    svids: svids.map(({ id, hint, chain }) => ({ spiffe_id: id, hint, chain: chain.map(shown) })),
    bundles: Object.fromEntries(
      [...bundles].map(([trustDomain, { x509Authorities }]) => [
        trustDomain,
        x509Authorities.map(({ der }) => shown(der)),
      ]),
    ),
  }
}

function shown(der: Uint8Array): object {
  const { serialHex: serial, notBefore, notAfter } = parseCertificate(der)
  return { serial, not_before: notBefore, not_after: notAfter }
}

export function connectionsPage({ seen }: Shown): object {
  return {
    total: seen.total,
    connections: seen.connections.slice(0, MAX_LISTED).map((one) => ({
      ...{ direction: one.direction, listener: one.listener, protocol: one.protocol },
      ...{ source: one.source, destination: one.destination, opened_at: one.openedAt },
      peer: one.peer?.id,
    })),
  }
}

/** Who would be refused if the ports became STRICT, and who is where they are. */
export function plaintextPage({ engine, inbound, since, seen }: Shown): object {
  return {
    workload: engine.inForce().workload,
    since,
    is_killed: engine.inForce().isKilled,
    mtls: modesOf(engine.inForce().mtls),
    ports: inbound.flatMap(({ workloadPort: port, mtls, authorize }) => {
      if (port === undefined) return []
      const isStrict = mtls === 'strict' || authorize !== undefined
      return [{ port, mode: isStrict ? engine.strictMode() : engine.modeOf(port) }]
    }),
    forgotten: seen.forgotten,
    callers: seen.plaintext.map((one) => ({
      ...{ port: one.port, source_ip: one.sourceIp },
      ...{ connections: one.connections, refused: one.refused },
      ...{ first_seen: one.firstSeen, last_seen: one.lastSeen, mode: engine.modeOf(one.port) },
    })),
  }
}

export function killSwitchPage(state: KillSwitchState | undefined): object {
  return state === undefined ? { is_on: false } : { is_on: true, ...state }
}
