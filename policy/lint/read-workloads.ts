/**
 * The workloads that Kubernetes objects speak of, with the ports at which they listen and the Services in front of them.
 * Lenient: policies are judged here, not these objects, so what is malformed is not known.
 *
 * @see https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/
 */
import { z } from 'zod'
import { selects } from '../attachment.ts'
import type { KnownPort, KnownWorkload } from './surroundings.ts'

const labels = z.record(z.string(), z.string()).catch({})
const metadata = z
  .object({ name: z.string().catch(''), namespace: z.string().catch('default'), labels })
  .catch({ name: '', namespace: 'default', labels: {} })

const portNumber = z.number().int().min(1).max(65_535)

const pod = z.object({
  metadata: metadata.optional(),
  spec: z.object({
    serviceAccountName: z.string().catch('default'),
    containers: z.array(
      z.object({
        ports: z
          .array(
            z.object({
              containerPort: portNumber,
              name: z.string().optional(),
              protocol: z.string().optional(),
            }),
          )
          .catch([]),
      }),
    ),
  }),
})
type Pod = z.infer<typeof pod>

const service = z.object({
  metadata,
  spec: z.object({
    selector: z.record(z.string(), z.string()),
    ports: z.array(
      z.object({
        port: portNumber,
        targetPort: z.union([portNumber, z.string()]).optional(),
        name: z.string().optional(),
        appProtocol: z.string().optional(),
        protocol: z.string().optional(),
      }),
    ),
  }),
})
type Service = z.infer<typeof service>

/** Where the pod stands in objects of each kind. */
const TEMPLATES: Readonly<Record<string, (object: unknown) => unknown>> = {
  Deployment: (object) => inside(object, 'spec', 'template'),
  StatefulSet: (object) => inside(object, 'spec', 'template'),
  DaemonSet: (object) => inside(object, 'spec', 'template'),
  ReplicaSet: (object) => inside(object, 'spec', 'template'),
  Job: (object) => inside(object, 'spec', 'template'),
  CronJob: (object) => inside(object, 'spec', 'jobTemplate', 'spec', 'template'),
  Pod: (object) => object,
}

function inside(object: unknown, ...path: readonly string[]): unknown {
  let value = object
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Record<string, unknown>)[name] // an own field, asked for in the line above
  }
  return value
}

export function readWorkloads(objects: readonly unknown[]): readonly KnownWorkload[] {
  const services = objects
    .filter((object) => inside(object, 'kind') === 'Service')
    .flatMap((object) => service.safeParse(object).data ?? [])
  return objects.flatMap((object) => {
    const kind = String(inside(object, 'kind'))
    const template = Object.hasOwn(TEMPLATES, kind) ? TEMPLATES[kind] : undefined
    const read = template && pod.safeParse(template(object)).data
    if (read === undefined) return []
    // The namespace is that of the object around the pod.
    const { name, namespace } = metadata.parse(inside(object, 'metadata'))
    return [workloadOf(read, { name, namespace }, services)]
  })
}

function workloadOf(
  { metadata: own, spec }: Pod,
  { name, namespace }: { readonly name: string; readonly namespace: string },
  services: readonly Service[],
): KnownWorkload {
  const labelled = own?.labels ?? {}
  const containerPorts = spec.containers
    .flatMap(({ ports }) => ports)
    .filter(({ protocol }) => isTcp(protocol))
  const targets = services
    .filter(
      (one) =>
        one.metadata.namespace === namespace &&
        Object.keys(one.spec.selector).length > 0 &&
        selects(one.spec.selector, labelled),
    )
    .flatMap((one) => one.spec.ports)
    .filter(({ protocol }) => isTcp(protocol))
    .flatMap((port) => {
      const { targetPort = port.port } = port
      const target =
        typeof targetPort === 'number'
          ? targetPort
          : containerPorts.find((known) => known.name === targetPort)?.containerPort
      return target === undefined ? [] : [{ ...port, target }]
    })
  const numbers = new Set([
    ...containerPorts.map(({ containerPort }) => containerPort),
    ...targets.map(({ target }) => target),
  ])
  const ports = [...numbers].map((port): KnownPort => {
    const known = targets
      .filter(({ target }) => target === port)
      .map(({ name: portName, appProtocol }) => protocolOf(appProtocol, portName))
      .find((protocol) => protocol !== 'unknown')
    return { port, protocol: known ?? 'unknown' }
  })
  return {
    ...{ namespace, name, labels: labelled, serviceAccount: spec.serviceAccountName },
    // Ports of containers are a courtesy: without any, nobody has said where it listens.
    ports: ports.length === 0 ? undefined : ports,
    servicePorts: new Map(
      targets
        .filter(({ port, target }) => port !== target)
        .map(({ port, target }) => [port, target]),
    ),
  }
}

const isTcp = (protocol: string | undefined): boolean =>
  protocol === undefined || protocol === 'TCP'

const HTTP = ['http', 'http2', 'grpc', 'grpc-web', 'kubernetes.io/h2c', 'kubernetes.io/ws']
const TCP = ['tcp', 'tls', 'https', 'mongo', 'mysql', 'redis', 'kubernetes.io/wss']

/** By `appProtocol`, else by the name's part before the first dash. */
function protocolOf(
  appProtocol: string | undefined,
  name: string | undefined,
): KnownPort['protocol'] {
  const said = (
    appProtocol ??
    (name?.startsWith('grpc-web') ? 'grpc-web' : name?.split('-')[0]) ??
    ''
  ).toLowerCase()
  if (HTTP.includes(said)) return 'http'
  return TCP.includes(said) ? 'tcp' : 'unknown'
}
