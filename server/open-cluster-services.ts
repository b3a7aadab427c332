/** What the server does for Kubernetes clusters beside answering its APIs: all of it only when it is configured. */
import { hostname } from 'node:os'
import type { Loop } from '../spiffe/running-loops.ts'
import type { AdmissionRoutes } from './admission/routes.ts'
import type { ServerConfig } from './config.ts'
import { openRegistration, type RegistrationDeps } from './controller/open-registration.ts'
import { injectionRoutes } from './injection/injection-routes.ts'
import {
  openPodCertificates,
  type PodCertificatesDeps,
} from './pod-certificates/open-pod-certificates.ts'
import { policyRoutes } from './policy-admission/policy-routes.ts'
import { openPolicyStatus, policyMesh } from './policy-status/open-policy-status.ts'

export type ClusterServicesDeps = Omit<RegistrationDeps, 'routes'> & PodCertificatesDeps

export interface ClusterServices extends AsyncDisposable {
  readonly loops: readonly Loop[]
}

/** Disposing closes the clusters: first end the loops. @throws IdentityError CONFIG_INVALID when one of them cannot be used */
export async function openClusterServices(
  config: ServerConfig,
  deps: ClusterServicesDeps,
): Promise<ClusterServices> {
  const { clock, random, log, randomUuid, trustDomain } = deps
  await using stack = new AsyncDisposableStack()
  const podCertificates = stack.use(await openPodCertificates(config.podCertificates, deps))
  const policyStatus = stack.use(
    await openPolicyStatus(config.policyStatus, {
      ...{ trustDomain, identity: `${hostname()}_${randomUuid()}`, clock, random, log },
    }),
  )
  const routes = webhooksOf(config)
  const registration = stack.use(await openRegistration(config.controller, { ...deps, routes }))
  const opened = stack.move()
  return {
    loops: [...podCertificates.loops, ...policyStatus.loops, ...registration.loops],
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** Beside those of our own custom resources: proxies for pods, and the reading of policies. */
function webhooksOf({ injection, policyStatus, trustDomain }: ServerConfig): AdmissionRoutes {
  const mesh = policyStatus === undefined ? undefined : policyMesh(policyStatus, trustDomain)
  return new Map([...injectionRoutes(injection), ...policyRoutes(mesh)])
}
