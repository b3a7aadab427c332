/**
 * What a server does for a Kubernetes cluster when it is configured to: registration of its workloads, and the admission
 * webhooks. Without that configuration no cluster is opened, and nothing of it costs anything.
 */
import { openCluster } from '../../kubernetes/open-cluster.ts'
import type { Log } from '../../log/open-log.ts'
import type { Loop } from '../../spiffe/running-loops.ts'
import { openAdmission } from '../admission/open-admission.ts'
import { resourceRoutes } from '../admission/resource-routes.ts'
import type { AdmissionRoutes } from '../admission/routes.ts'
import type { ServingSvidDeps } from '../admission/serving-svid.ts'
import type { LocalBundle } from '../bundle/local-bundle.ts'
import type { ControllerConfig } from './controller-config.ts'
import { openController } from './open-controller.ts'
import type { ControllerDeps } from './run-controller.ts'

export interface RegistrationDeps extends Omit<ControllerDeps, 'cluster' | 'auditLog'> {
  readonly hasAuditLog: boolean
  readonly issuer: ServingSvidDeps['issuer']
  readonly x509: ServingSvidDeps['x509']
  readonly bundle: Pick<LocalBundle, 'current' | 'onChange'>
  /** Webhooks beside those that check our custom resources. */
  readonly routes: AdmissionRoutes
  readonly log: Log
}

export interface Registration extends AsyncDisposable {
  readonly loops: readonly Loop[]
}

/** Disposing closes the cluster: first end the loops. @throws IdentityError CONFIG_INVALID */
export async function openRegistration(
  config: ControllerConfig | undefined,
  deps: RegistrationDeps,
): Promise<Registration> {
  if (config === undefined) return { loops: [], async [Symbol.asyncDispose]() {} }
  await using stack = new AsyncDisposableStack()
  const cluster = stack.use(await openCluster({ kubeconfig: config.kubeconfig }))
  const log = deps.log.child({ component: 'controller-manager' })
  const auditLog = deps.hasAuditLog ? deps.log : undefined
  const register = await openController(config, { ...deps, cluster, auditLog, log })
  const admission =
    config.webhook === undefined
      ? undefined
      : stack.use(
          await openAdmission(config.webhook, {
            ...{ ...deps, cluster, log: deps.log.child({ component: 'admission' }) },
            routes: new Map([...resourceRoutes(deps.trustDomain), ...deps.routes]),
          }),
        )
  const opened = stack.move()
  return {
    loops: [register, ...(admission?.loops ?? [])],
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
