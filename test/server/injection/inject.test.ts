import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readProxyConfig } from '../../../proxy/config.ts'
import { inject } from '../../../server/injection/inject.ts'
import type { InjectionConfig } from '../../../server/injection/injection-config.ts'
import { injectionRoutes } from '../../../server/injection/injection-routes.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { applyPatch } from './json-patch.ts'

const config: InjectionConfig = {
  ...{ image: 'registry.example/steeple:1', imagePullPolicy: 'IfNotPresent' },
  identity: { kind: 'host_path', directory: '/run/spire/sockets' },
  ...{ socketName: 'api.sock', trustDomain: parseTrustDomain('example.org') },
  ...{ rootNamespace: 'istio-system', meshAddresses: ['198.18.0.0/24'] },
  ...{ plaintextAddresses: ['198.18.0.1'], excludedInboundPorts: [9090] },
  ...{ proxyUid: 1337, ipFamily: 'ipv4', hasAccessLog: true, logLevel: 'INFO' },
  tracing: undefined,
  requests: { cpu: '50m', memory: '128Mi' },
  limits: { cpu: undefined, memory: '512Mi' },
}

interface Pod {
  readonly metadata: {
    readonly annotations: Record<string, string>
    readonly labels?: Record<string, string>
  }
  readonly spec: {
    readonly initContainers: readonly Container[]
    readonly containers: readonly Container[]
    readonly volumes: readonly { readonly name: string }[]
  }
}
interface Container {
  readonly name: string
  readonly args?: readonly string[]
  readonly restartPolicy?: string
  readonly securityContext?: object
  readonly readinessProbe?: object
}

const pod = (spec: object = {}, metadata: object = {}) => ({
  metadata: { name: 'db-1', ...metadata },
  spec: { containers: [{ name: 'db', image: 'db' }], ...spec },
})

function injected(given: unknown, settings: Partial<InjectionConfig> = {}) {
  const injection = inject(given, { ...config, ...settings })
  if (injection.kind !== 'patch') throw new Error(JSON.stringify(injection))
  const changed = applyPatch(given, injection.patch) as Pod // what the tests look at
  const text = changed.metadata.annotations['steeple.io/proxy-config'] ?? ''
  const proxy = readProxyConfig({
    ...{ path: 'proxy.json', text, flags: { expandEnv: true }, env: { POD_NAME: 'db-1' } },
    readText: () => '',
  })
  return { ...changed, proxy, warnings: injection.warnings, again: inject(changed, config) }
}

test('a pod gets its rules first, then its proxy, then what it had', () => {
  const { spec, again } = injected(
    pod({ initContainers: [{ name: 'own' }], volumes: [{ name: 'v' }] }),
  )
  expect(spec.initContainers.map(({ name }) => name)).toEqual([
    'steeple-rules',
    'steeple-proxy',
    'own',
  ])
  expect(spec.initContainers[0]?.args).toEqual([
    ...['proxy', 'rules', '-apply', '-proxyUID', '1337'],
    ...['-excludeInboundPorts', '15020,15021,9090'],
  ])
  expect(spec.initContainers[1]).toMatchObject({ restartPolicy: 'Always' })
  expect(spec.volumes.map(({ name }) => name)).toEqual([
    ...['v', 'steeple-config', 'steeple-state', 'steeple-identity', 'steeple-api-access'],
  ])
  expect(again).toEqual({ kind: 'unchanged' })
})

test('a collector is told to the proxy of each pod, and to none where there is none', () => {
  expect(injected(pod()).proxy.tracing).toBeUndefined()
  const otlpEndpoint = 'http://otel.monitoring.svc:4318/$x'
  const { proxy } = injected(pod(), { tracing: { otlpEndpoint, samplingPercent: 12.5 } })
  expect(proxy.tracing).toMatchObject({ endpoint: { url: otlpEndpoint }, samplingPercent: 12.5 })
})

test('the proxy itself has no capability, no root and no file system to write to', () => {
  const { spec } = injected(pod())
  expect(spec.initContainers.map(({ securityContext }) => securityContext)).toMatchObject([
    { runAsUser: 0, capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] } },
    {
      ...{ runAsUser: 1337, runAsNonRoot: true, allowPrivilegeEscalation: false },
      ...{ readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    },
  ])
})

test('its configuration is one that the proxy reads, with the pod’s own name', () => {
  const { proxy } = injected(pod())
  expect(proxy.policySource).toMatchObject({ podName: 'db-1' })
  expect(proxy.capture).toMatchObject({ mtls: 'policy', proxyUid: 1337, mark: undefined })
  expect(proxy.destinations).toMatchObject([
    { name: 'mesh', transport: 'mtls' },
    { name: 'plaintext', transport: 'plaintext' },
  ])
  expect(proxy.health).toMatchObject({ host: '0.0.0.0', port: 15_020 })
  expect(injected(pod(), { ipFamily: 'ipv6' }).proxy.hbone?.listen).toMatchObject({ host: '::' })
})

test('probes and hooks of the kubelet become questions to the proxy, and keep their times', () => {
  const web = {
    ...{ name: 'web', ports: [{ name: 'http', containerPort: 8080 }] },
    readinessProbe: {
      ...{ periodSeconds: 3, httpGet: { path: 'ready?$HOME=1', port: 'http', scheme: 'HTTPS' } },
    },
    livenessProbe: { tcpSocket: { port: 8080 } },
    startupProbe: { grpc: { port: 9000, service: 'db' } },
    lifecycle: { preStop: { httpGet: { path: '/bye', port: 8080 } } },
  }
  const { spec, proxy } = injected(pod({ containers: [web] }))
  const ask = (name: string) => ({
    path: `/probe/container-0-${name}`,
    port: 15_021,
    scheme: 'HTTP',
  })
  expect(spec.containers[0]).toEqual({
    ...{ name: 'web', ports: web.ports },
    readinessProbe: { periodSeconds: 3, httpGet: ask('readinessProbe') },
    livenessProbe: { httpGet: ask('livenessProbe') },
    startupProbe: { httpGet: ask('startupProbe') },
    lifecycle: { preStop: { httpGet: ask('preStop') } },
  })
  const questions = Object.fromEntries(
    proxy.probes?.probes.map((one) => [one.name, one.question]) ?? [],
  )
  expect(questions).toEqual({
    'container-0-readinessProbe': {
      ...{ kind: 'http', port: 8080, path: '/ready?$HOME=1', scheme: 'https', headers: {} },
    },
    'container-0-livenessProbe': { kind: 'tcp', port: 8080 },
    'container-0-startupProbe': { kind: 'grpc', port: 9000, service: 'db' },
    'container-0-preStop': { kind: 'http', port: 8080, path: '/bye', scheme: 'http', headers: {} },
  })
})

const MANY = Array.from({ length: 101 }, (_, index) => ({ name: `h${index}`, value: 'v' }))

test.each([
  ['runs a program', { exec: { command: ['true'] } }, 0],
  ['asks the proxy itself', { httpGet: { port: 15_021, path: '/probe/a' } }, 0],
  ['has more headers than the proxy reads', { httpGet: { port: 80, httpHeaders: MANY } }, 1],
  ['asks another host', { httpGet: { host: 'example.org', port: 80 } }, 0],
  ['names a port that is not there', { httpGet: { port: 'web' } }, 1],
  ['has a path that no request takes', { httpGet: { port: 80, path: '/a b' } }, 1],
  ['has a header that is none', { httpGet: { port: 80, httpHeaders: [{ name: 'a b' }] } }, 1],
  ['has a port that is none', { tcpSocket: { port: 70_000 } }, 1],
])('a probe that %s stays as it is', (_, readinessProbe, warnings) => {
  const given = pod({ containers: [{ name: 'web', readinessProbe }] })
  const changed = injected(given)
  expect(changed.spec.containers[0]?.readinessProbe).toEqual(readinessProbe)
  expect(changed.warnings).toHaveLength(warnings)
})

test('annotations exclude ports and addresses of one pod', () => {
  const annotations = {
    'steeple.io/exclude-inbound-ports': '22, 9091',
    'steeple.io/plaintext-addresses': '198.18.0.9,198.18.0.64/26',
    other: 'stays',
  }
  const { metadata, spec, proxy } = injected(pod({}, { annotations }))
  expect(metadata.annotations).toMatchObject(annotations)
  expect(spec.initContainers[0]?.args?.at(-1)).toBe('15020,15021,9090,22,9091')
  expect(proxy.destinations[1]?.addresses).toHaveLength(3)
})

const named = (name: string) => ({ containers: [{ name }] })
const annotated = (name: string, value: string) =>
  pod({}, { annotations: { [`steeple.io/${name}`]: value } })

test.each([
  [
    'on the network of its node',
    pod({ hostNetwork: true }),
    /uses the network of its node.*disabled/,
  ],
  ['for another system', pod({ os: { name: 'windows' } }), /is for windows, expected linux/],
  ['with a container of that name', pod(named('steeple-proxy')), /has the name steeple-proxy/],
  [
    'with a volume of that name',
    pod({ volumes: [{ name: 'steeple-state' }] }),
    /volume has the name/,
  ],
  [
    'whose container mounts the identities of the proxy',
    pod({
      containers: [{ name: 'a', volumeMounts: [{ name: 'steeple-identity', mountPath: '/a' }] }],
    }),
    /mounts the volume steeple-identity/,
  ],
  [
    'whose first container would write the policies of the proxy',
    pod({ initContainers: [{ name: 'a', volumeMounts: [{ name: 'steeple-state' }] }] }),
    /mounts the volume steeple-state/,
  ],
  [
    'with a port of the proxy',
    pod({ containers: [{ name: 'a', ports: [{ containerPort: 15_006 }] }] }),
    /has the port 15006/,
  ],
  [
    'whose container is the proxy’s user',
    pod({ containers: [{ name: 'a', securityContext: { runAsUser: 1337 } }] }),
    /runs as user 1337/,
  ],
  ['whose user is the proxy’s', pod({ securityContext: { runAsUser: 1337 } }), /runs as user 1337/],
  [
    'with ports that are none',
    annotated('exclude-inbound-ports', '22,0'),
    /has "0", expected ports/,
  ],
  ['with a port too many', annotated('exclude-inbound-ports', '70000'), /has "70000"/],
  [
    'with addresses that are none',
    annotated('plaintext-addresses', '10.0.0.0/99'),
    /has "10\.0\.0\.0\/99"/,
  ],
])('a pod %s is refused with the reason', (_, given, message) => {
  const injection = inject(given, config)
  expect(injection).toMatchObject({ kind: 'refused', message: expect.stringMatching(message) })
})

test('a pod that does not want a proxy gets none', () => {
  const labels = { 'steeple.io/inject': 'disabled' }
  expect(inject(pod({ hostNetwork: true }, { labels }), config)).toEqual({ kind: 'unchanged' })
})

test('who claims to have been injected, without the configuration, is refused', () => {
  const given = pod({ initContainers: [{ name: 'steeple-proxy' }] })
  expect(inject(given, config)).toMatchObject({ kind: 'refused' })
})

test('the webhook changes pods that are created, and nothing else', async () => {
  const route = injectionRoutes(config).get('/inject')
  const request = {
    ...{ uid: '1', namespace: 'shop', name: '', username: 'a', resource: 'pods' },
    ...{ isDryRun: true, oldObject: undefined, object: pod() },
  }
  const kind = { group: '', version: 'v1', kind: 'Pod' }
  const { signal } = new AbortController()
  const ask = (operation: string, of = kind, object: unknown = pod()) =>
    route?.({ ...request, operation, kind: of, object }, signal)
  expect(await ask('CREATE')).toMatchObject({ kind: 'allow', patch: { length: 4 - 1 } })
  expect(await ask('UPDATE')).toMatchObject({ kind: 'allow', patch: [] })
  expect(await ask('CREATE', { ...kind, kind: 'Service' })).toMatchObject({ patch: [] })
  expect(await ask('CREATE', kind, pod({ hostNetwork: true }))).toMatchObject({
    ...{ kind: 'deny', message: expect.stringMatching(/^no proxy can be put into the pod: /) },
  })
  expect(injectionRoutes(undefined).size).toBe(0)
})

const text = fc.oneof(
  fc.string(),
  fc.constantFrom('$POD_NAME', `${'{HOME}'}`, '"pod_name":""', '\\u0024', '/a?b=$x'),
)
const probe = fc.oneof(
  fc.record({
    httpGet: fc.record({
      path: fc.oneof(
        text,
        text.map((one) => `/${one.replace(/[^!-~]/g, '')}`),
      ),
      port: fc.oneof(fc.integer({ min: -1, max: 70_000 }), fc.string()),
      httpHeaders: fc.array(
        fc.record({
          name: fc.oneof(text, fc.constantFrom('pod_name', '__proto__', 'Host')),
          value: text,
        }),
      ),
    }),
  }),
  fc.record({ grpc: fc.record({ port: fc.integer({ min: 1, max: 65_535 }), service: text }) }),
  fc.jsonValue(),
)

test('property: whatever a pod’s probes hold, the proxy reads its configuration, and knows each rewritten probe', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ name: fc.constant('c'), readinessProbe: probe, livenessProbe: probe })),
      (containers) => {
        const { proxy, spec } = injected(pod({ containers }))
        expect(proxy.policySource?.podName).toBe('db-1')
        const asked = JSON.stringify(spec.containers).match(/\/probe\/container-\d+-\w+/g) ?? []
        expect(proxy.probes?.probes.map(({ name }) => `/probe/${name}`).toSorted() ?? []).toEqual(
          asked.toSorted(),
        )
      },
    ),
  )
})

test('property: whatever a pod is, injecting it gives a patch that can be applied, or a reason, and the second time nothing', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (spec, metadata) => {
      const given = { spec, metadata }
      const injection = inject(given, config)
      if (injection.kind !== 'patch') return
      if (typeof spec !== 'object' || spec === null || Array.isArray(spec)) return
      if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return
      expect(inject(applyPatch(given, injection.patch), config)).toEqual({ kind: 'unchanged' })
    }),
  )
})
