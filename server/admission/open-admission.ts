/** The admission webhook server of a process: its certificate, its routes, and the configurations that point at it. */
import type { Cluster } from '../../kubernetes/cluster.ts'
import type { Log } from '../../log/open-log.ts'
import type { Clock } from '../../spiffe/clock.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import type { Random } from '../../spiffe/random.ts'
import type { Loop } from '../../spiffe/running-loops.ts'
import type { LocalBundle } from '../bundle/local-bundle.ts'
import type { WebhookConfig } from '../controller/controller-config.ts'
import type { AdmissionRoutes } from './routes.ts'
import { serveAdmission } from './serve-admission.ts'
import { openServingSvid, type ServingSvidDeps } from './serving-svid.ts'
import { webhookConfigurationLoops } from './webhook-configurations.ts'

export interface AdmissionDeps {
  readonly cluster: Cluster
  readonly trustDomain: TrustDomain
  readonly issuer: ServingSvidDeps['issuer']
  readonly x509: ServingSvidDeps['x509']
  readonly bundle: Pick<LocalBundle, 'current' | 'onChange'>
  readonly routes: AdmissionRoutes
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export interface Admission extends AsyncDisposable {
  readonly port: number
  readonly loops: readonly Loop[]
}

/** @throws IdentityError CONFIG_INVALID when the address cannot be bound */
export async function openAdmission(
  { host, port, validatingName, mutatingName }: WebhookConfig,
  { routes, log, ...deps }: AdmissionDeps,
): Promise<Admission> {
  const certificate = await openServingSvid({
    ...deps,
    onFailure: (err) =>
      log.error({ err }, 'Certificate of the webhook server could not be renewed'),
  })
  const server = await serveAdmission({
    ...{ host, port, certificate, routes },
    onFailure: (err, path) => log.error({ err, path }, 'A webhook failed'),
  })
  log.info({ addr: `${host}:${server.port}`, routes: routes.size }, 'Serving admission webhooks')
  return {
    port: server.port,
    loops: [
      certificate.renew,
      ...webhookConfigurationLoops({
        ...{ ...deps, log, validatingName, mutatingName },
        onDnsNames: certificate.setDnsNames,
      }),
    ],
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}
