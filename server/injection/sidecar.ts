/** The containers and volumes that injection puts into a pod. The proxy has no capability and no user that anything else has. */
import {
  type InjectionConfig,
  PORTS,
  PROXY_CONFIG,
  PROXY_CONTAINER,
  RULES_CONTAINER,
} from './injection-config.ts'
import { PATHS } from './proxy-config.ts'

const VOLUMES = {
  config: 'steeple-config',
  state: 'steeple-state',
  identity: 'steeple-identity',
  apiAccess: 'steeple-api-access',
} as const

/** No volume of a pod may have one of these. */
export const VOLUME_NAMES: readonly string[] = Object.values(VOLUMES)

/** The kubelet renews the token well before. */
const TOKEN_SECONDS = 3_607

/** Sets the rules of redirection before anything else in the pod runs, and ends. */
export function rulesContainer(config: InjectionConfig, excludedPorts: readonly number[]): object {
  const excluded = [PORTS.health, PORTS.probes, ...config.excludedInboundPorts, ...excludedPorts]
  return {
    name: RULES_CONTAINER,
    ...{ image: config.image, imagePullPolicy: config.imagePullPolicy },
    args: [
      ...['proxy', 'rules', '-apply', '-proxyUID', String(config.proxyUid)],
      ...['-excludeInboundPorts', [...new Set(excluded)].join(',')],
    ],
    resources: resourcesOf(config),
    securityContext: {
      // Rules of a network namespace are set by its root and nobody else.
      ...{ runAsUser: 0, runAsGroup: 0, runAsNonRoot: false },
      ...{ allowPrivilegeEscalation: false, privileged: false, readOnlyRootFilesystem: true },
      capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] },
    },
  }
}

/** A native sidecar: it is ready before the next container starts, and ends after the last one. */
export function proxyContainer(config: InjectionConfig): object {
  const health = (path: string) => ({ httpGet: { path, port: PORTS.health } })
  return {
    name: PROXY_CONTAINER,
    ...{ image: config.image, imagePullPolicy: config.imagePullPolicy },
    args: ['proxy', 'run', '-expandEnv', '-config', `${PATHS.config}/${PATHS.configFile}`],
    restartPolicy: 'Always',
    env: [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
    resources: resourcesOf(config),
    // Without an identity and policies it takes no connection, and the workload waits.
    startupProbe: { ...health('/ready'), periodSeconds: 1, failureThreshold: 600 },
    readinessProbe: { ...health('/ready'), periodSeconds: 5 },
    livenessProbe: { ...health('/live'), periodSeconds: 10, timeoutSeconds: 5 },
    securityContext: {
      ...{ runAsUser: config.proxyUid, runAsGroup: config.proxyUid, runAsNonRoot: true },
      ...{ allowPrivilegeEscalation: false, privileged: false, readOnlyRootFilesystem: true },
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [
      { name: VOLUMES.config, mountPath: PATHS.config, readOnly: true },
      { name: VOLUMES.state, mountPath: PATHS.state },
      { name: VOLUMES.identity, mountPath: PATHS.identity, readOnly: true },
      { name: VOLUMES.apiAccess, mountPath: PATHS.apiAccess, readOnly: true },
    ],
  }
}

export function volumes({ identity }: InjectionConfig): readonly object[] {
  const configuration = {
    path: PATHS.configFile,
    fieldRef: { fieldPath: `metadata.annotations['${PROXY_CONFIG}']` },
  }
  return [
    { name: VOLUMES.config, downwardAPI: { items: [configuration] } },
    { name: VOLUMES.state, emptyDir: { sizeLimit: '128Mi' } },
    identity.kind === 'csi'
      ? { name: VOLUMES.identity, csi: { driver: identity.driver, readOnly: true } }
      : { name: VOLUMES.identity, hostPath: { path: identity.directory, type: 'Directory' } },
    {
      name: VOLUMES.apiAccess,
      // What Kubernetes itself would mount, for the proxy alone: the workload may have been denied it.
      projected: {
        sources: [
          { serviceAccountToken: { path: 'token', expirationSeconds: TOKEN_SECONDS } },
          { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
          {
            downwardAPI: {
              items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }],
            },
          },
        ],
      },
    },
  ]
}

function resourcesOf({ requests, limits }: InjectionConfig): object {
  const given = ({ cpu, memory }: InjectionConfig['limits']) => ({
    ...(cpu === undefined ? {} : { cpu }),
    ...(memory === undefined ? {} : { memory }),
  })
  return { requests: given(requests), limits: given(limits) }
}
