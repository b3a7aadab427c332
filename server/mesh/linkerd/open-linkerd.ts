/** Linkerd's identity service of this server: its port, and the intermediate that it signs with. */
import { openCluster } from '../../../kubernetes/open-cluster.ts'
import { linkerdApi } from '../../../proto/load.ts'
import { addService } from '../../../proto/serve.ts'
import type { RandomBytes } from '../../../spiffe/random.ts'
import type { Loop } from '../../../spiffe/running-loops.ts'
import type { PrivilegedIds } from '../../entries/privileged-ids.ts'
import type { Issuer } from '../../issue/issuer.ts'
import { renewServerSvid } from '../../issue/server-svid.ts'
import type { Limit } from '../../listen/rate-limits.ts'
import { type MeshPortDeps, openMeshPort } from '../mesh-port.ts'
import { createTally, type TallyReading } from '../tally.ts'
import { type LinkerdNaming, servingIdentity } from './linkerd-identity.ts'
import { openLinkerdIssuer } from './linkerd-issuer.ts'
import { linkerdService } from './linkerd-service.ts'

export interface LinkerdConfig {
  readonly bindAddress: string
  readonly bindPort: number
  /** Undefined: the service account of the pod we run in. */
  readonly kubeconfig: string | undefined
  readonly naming: LinkerdNaming
  readonly tokenAudiences: readonly string[]
  readonly takesApiServerTokens: boolean
  readonly issuanceLifetimeSeconds: number
  /** Of the intermediate; 0: as our own CA. */
  readonly issuerTtlSeconds: number
  readonly addsSpiffeId: boolean
}

export interface LinkerdDeps extends Omit<MeshPortDeps, 'tally' | 'onEnd' | 'issuer'> {
  readonly issuer: Pick<Issuer, 'issueServerX509Svid' | 'issueDownstreamCa'>
  readonly privileged: PrivilegedIds
  readonly limit: Limit
  readonly randomBytes: RandomBytes
}

export interface LinkerdStatus {
  readonly address: string
  /** Under which name it serves. */
  readonly name: string
  readonly issuerExpiresAt: Date
  readonly tally: TallyReading
}

export interface Linkerd extends AsyncDisposable {
  readonly loops: readonly Loop[]
  status(): LinkerdStatus
}

/** Disposing closes the port and the cluster: first end the loops. @throws IdentityError as `openMeshPort`, CONFIG_INVALID for a kubeconfig */
export async function openLinkerd(config: LinkerdConfig, outer: LinkerdDeps): Promise<Linkerd> {
  const deps = { ...outer, log: outer.log.child({ component: 'linkerd-identity' }) }
  const { clock, x509, log } = deps
  await using stack = new AsyncDisposableStack()
  const cluster = stack.use(await openCluster({ kubeconfig: config.kubeconfig }))
  const issuer = await openLinkerdIssuer(config.issuerTtlSeconds, deps)
  const issuerEnd = () => issuer.current().expiresAt
  deps.metrics
    .unprefixed()
    .gauge('issuer_cert_ttl_seconds', () => (issuerEnd().getTime() - clock.now().getTime()) / 1000)
  const tally = createTally(clock)
  const name = servingIdentity(config.naming)
  const port = stack.use(
    await openMeshPort(
      // Linkerd's proxies speak HTTP/2 to each other without having agreed on it.
      { ...config, dnsNames: [name], takesNoAlpn: true },
      { ...deps, tally, onEnd() {} },
      (endpoint) =>
        addService(
          endpoint,
          linkerdApi().service,
          linkerdService({ ...deps, ...config, cluster, issuer }),
        ),
    ),
  )
  log.info({ address: port.address, name }, 'Serving Linkerd’s identity service')
  const onFailure = (err: unknown) => log.error({ err }, 'Issuer could not be renewed')
  const renew: Loop = (signal) => renewServerSvid({ svid: issuer, x509, clock, onFailure }, signal)
  const opened = stack.move()
  return {
    loops: [...port.loops, renew],
    status: () => ({
      address: port.address,
      name,
      issuerExpiresAt: issuerEnd(),
      tally: tally.read(),
    }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
