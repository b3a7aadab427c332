/**
 * What the server does for Kubernetes clusters beside answering its APIs: all of it only when it is configured, and only then is
 * it loaded, so that a server without a cluster starts sooner and is smaller.
 */
import { hostname } from 'node:os'
import type { Loop } from '../spiffe/running-loops.ts'
import type { AdmissionRoutes } from './admission/routes.ts'
import type { ServerConfig } from './config.ts'
import type { RegistrationDeps } from './controller/open-registration.ts'
import type { PodCertificatesDeps } from './pod-certificates/open-pod-certificates.ts'

export type ClusterServicesDeps = Omit<RegistrationDeps, 'routes'> & PodCertificatesDeps

export interface ClusterServices extends AsyncDisposable {
  readonly loops: readonly Loop[]
}

/** Disposing closes the clusters: first end the loops. @throws IdentityError CONFIG_INVALID when one of them cannot be used */
export async function openClusterServices(
  config: ServerConfig,
  deps: ClusterServicesDeps,
): Promise<ClusterServices> {
  await using stack = new AsyncDisposableStack()
  const loops: Loop[] = []
  const keep = (opened: ClusterServices) => loops.push(...stack.use(opened).loops)
  if (config.podCertificates.length > 0) {
    const { openPodCertificates } = await import('./pod-certificates/open-pod-certificates.ts')
    keep(await openPodCertificates(config.podCertificates, deps))
  }
  if (config.policyStatus !== undefined) {
    const { openPolicyStatus } = await import('./policy-status/open-policy-status.ts')
    const { clock, random, log, randomUuid, trustDomain } = deps
    const identity = `${hostname()}_${randomUuid()}`
    const shared = { trustDomain, identity, clock, random, log }
    keep(await openPolicyStatus(config.policyStatus, shared))
  }
  if (config.controller !== undefined) {
    const { openRegistration } = await import('./controller/open-registration.ts')
    keep(await openRegistration(config.controller, { ...deps, routes: await webhooksOf(config) }))
  }
  const opened = stack.move()
  return { loops, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

/** Beside those of our own custom resources: proxies for pods, and the reading of policies. */
async function webhooksOf(config: ServerConfig): Promise<AdmissionRoutes> {
  const { injection, policyStatus, trustDomain } = config
  const { injectionRoutes } = await import('./injection/injection-routes.ts')
  const { policyRoutes } = await import('./policy-admission/policy-routes.ts')
  const { policyMesh } = await import('./policy-status/open-policy-status.ts')
  const mesh = policyStatus === undefined ? undefined : policyMesh(policyStatus, trustDomain)
  return new Map([...injectionRoutes(injection), ...policyRoutes(mesh)])
}
