/**
 * Issuance to service meshes: what the configuration asks for of Istio's CA and Linkerd's identity service, each on its own port,
 * and each loaded only when it is asked for.
 */

import type { Loop } from '../../spiffe/running-loops.ts'
import type { AuditDeps } from '../audit/audit-log.ts'
import { limitPerIp } from '../listen/rate-limits.ts'
import type { Rate } from '../listen/token-bucket.ts'
import type { IstioCaConfig, IstioCaDeps, IstioCaStatus } from './istio-ca/open-istio-ca.ts'
import type { LinkerdConfig, LinkerdDeps, LinkerdStatus } from './linkerd/open-linkerd.ts'

export interface MeshConfig {
  /** Undefined: not served. */
  readonly istioCa: IstioCaConfig | undefined
  readonly linkerd: LinkerdConfig | undefined
}

export interface MeshStatus {
  readonly istioCa: IstioCaStatus | undefined
  readonly linkerd: LinkerdStatus | undefined
}

export interface Mesh extends AsyncDisposable {
  readonly loops: readonly Loop[]
  status(): MeshStatus
}

export interface MeshDeps
  extends Omit<IstioCaDeps & LinkerdDeps, 'limit' | 'audit'>,
    Pick<AuditDeps, 'randomUuid'> {
  readonly rateLimit: { readonly signing: boolean }
  readonly hasAuditLog: boolean
}

/** Nobody calls here with an SVID. */
const NO_STANDING: AuditDeps['standing'] = {
  isConfiguredAdmin: () => false,
  isAdmin: () => false,
  isDownstream: () => false,
}
/** For each address. A ztunnel that starts asks for one certificate for each service account of its node. */
const RATE: Rate = { perSecond: 100 }

/** Disposing closes the ports: first end the loops. @throws IdentityError CONFIG_INVALID, UNAVAILABLE while nothing can be signed */
export async function openMesh(config: MeshConfig, outer: MeshDeps): Promise<Mesh> {
  const { rateLimit, hasAuditLog, randomUuid, clock } = outer
  const deps = {
    ...outer,
    limit: rateLimit.signing ? limitPerIp(RATE, clock) : async () => {},
    audit: hasAuditLog ? { standing: NO_STANDING, randomUuid } : undefined,
  }
  await using stack = new AsyncDisposableStack()
  const istioCa =
    config.istioCa === undefined
      ? undefined
      : stack.use(
          await (await import('./istio-ca/open-istio-ca.ts')).openIstioCa(config.istioCa, deps),
        )
  const linkerd =
    config.linkerd === undefined
      ? undefined
      : stack.use(
          await (await import('./linkerd/open-linkerd.ts')).openLinkerd(config.linkerd, deps),
        )
  const opened = stack.move()
  return {
    loops: [...(istioCa?.loops ?? []), ...(linkerd?.loops ?? [])],
    status: () => ({ istioCa: istioCa?.status(), linkerd: linkerd?.status() }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
