/** The configuration of an injected proxy, as JSON: what stands in a pod is told to it as data, and never as text to expand. */
import { SERVICE_ACCOUNT_DIRECTORY } from '../../kubernetes/service-account.ts'
import { type InjectionConfig, PORTS } from './injection-config.ts'
import type { ProbeBlock } from './rewrite-probes.ts'

export interface PodSettings {
  readonly probes: ReadonlyMap<string, ProbeBlock>
  /** Of this pod beside those of all. */
  readonly plaintextAddresses: readonly string[]
}

/** Where things are in the proxy's container. */
export const PATHS = {
  config: '/etc/steeple/proxy',
  configFile: 'proxy.json',
  state: '/var/lib/steeple',
  identity: '/run/steeple/identity',
  apiAccess: SERVICE_ACCOUNT_DIRECTORY,
} as const

/** For a file that is read with variables replaced: the pod's name is the only one. */
export function proxyConfig(config: InjectionConfig, pod: PodSettings): string {
  const any = config.ipFamily === 'ipv4' ? '0.0.0.0' : '[::]'
  const document = {
    proxy: {
      policy_source: { kubernetes: { pod_name: '', state_file: `${PATHS.state}/policies.json` } },
      workload_api_socket: `${PATHS.identity}/${config.socketName}`,
      trust_domain: config.trustDomain,
      ...{ log_level: config.logLevel, log_format: 'json' },
      ...(config.hasAccessLog ? { access_log: 'stdout' } : {}),
      admin: { listen: `unix:${PATHS.state}/admin.sock` },
      mesh: { root_namespace: config.rootNamespace },
      capture: {
        ...{ inbound_port: PORTS.inbound, outbound_port: PORTS.outbound },
        proxy_uid: config.proxyUid,
      },
      ...tracing(config),
      hbone: { listen: `${any}:${PORTS.hbone}` },
      ...destinations(config, pod),
      ...(pod.probes.size === 0
        ? {}
        : { probes: { listen: `${any}:${PORTS.probes}`, ...blocksOf(pod.probes) } }),
    },
    health_checks: {
      ...{ listener_enabled: true, bind_port: String(PORTS.health) },
      bind_address: config.ipFamily === 'ipv4' ? '0.0.0.0' : '::',
    },
  }
  // A dollar sign in JSON may be written without one, and then nothing takes it for a variable.
  const text = JSON.stringify(document).replaceAll('$', '\\u0024')
  return text.replace('"pod_name":""', () => '"pod_name":"$POD_NAME"')
}

function tracing({ tracing }: InjectionConfig): object {
  if (tracing === undefined) return {}
  const { otlpEndpoint: otlp_endpoint, samplingPercent: sampling } = tracing
  return { tracing: { otlp_endpoint, sampling } }
}

function destinations(config: InjectionConfig, pod: PodSettings): object {
  const mesh = config.meshAddresses
  if (mesh.length === 0) return {}
  const plaintext = [...config.plaintextAddresses, ...pod.plaintextAddresses]
  return {
    destination: {
      mesh: {
        ...{ addresses: mesh, transport: 'mtls' },
        authorize: [`spiffe://${config.trustDomain}`],
      },
      // Of several blocks that hold an address the narrowest counts.
      ...(plaintext.length === 0
        ? {}
        : { plaintext: { addresses: plaintext, transport: 'plaintext' } }),
    },
  }
}

/** Kind → name → block. */
function blocksOf(probes: ReadonlyMap<string, ProbeBlock>): object {
  const of = (kind: ProbeBlock['kind']) => {
    const blocks = [...probes].flatMap(([name, { kind: its, ...block }]) =>
      its === kind ? [[name, block] as const] : [],
    )
    return blocks.length === 0 ? {} : { [kind]: Object.fromEntries(blocks) }
  }
  return { ...of('http'), ...of('tcp'), ...of('grpc') }
}
