import { describe, expect, test } from 'vitest'
import { readWorkloads } from '../../../policy/lint/read-workloads.ts'

const template = (ports: readonly object[] = [], labels: object = { app: 'cart' }) => ({
  metadata: { labels },
  spec: { serviceAccountName: 'cart', containers: [{ name: 'app', ports }] },
})
const deployment = (ports: readonly object[] = [], namespace = 'shop') => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'cart', namespace },
  spec: { template: template(ports) },
})
const service = (ports: readonly object[], parts: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'cart', namespace: 'shop' },
  spec: { selector: { app: 'cart' }, ports, ...parts },
})

test('a Deployment is a workload with the labels of its pods', () => {
  expect(readWorkloads([deployment([{ containerPort: 8080 }])])).toEqual([
    {
      namespace: 'shop',
      name: 'cart',
      labels: { app: 'cart' },
      serviceAccount: 'cart',
      ports: [{ port: 8080, protocol: 'unknown' }],
      servicePorts: new Map(),
    },
  ])
})

test.for([
  ['Pod', { kind: 'Pod', metadata: { name: 'a', labels: { app: 'a' } }, spec: template().spec }],
  ['StatefulSet', { kind: 'StatefulSet', metadata: { name: 'a' }, spec: { template: template() } }],
  [
    'CronJob',
    {
      kind: 'CronJob',
      metadata: { name: 'a' },
      spec: { jobTemplate: { spec: { template: template() } } },
    },
  ],
] as const)('a %s is a workload', ([, object]) => {
  expect(readWorkloads([object])).toMatchObject([{ name: 'a', namespace: 'default' }])
})

test.for([
  ['nothing', null],
  ['a text', 'Deployment'],
  ['another kind', { kind: 'ConfigMap', metadata: { name: 'a' } }],
  ['a kind that is no own name', { kind: 'constructor', metadata: { name: 'a' } }],
  [
    'no containers',
    { kind: 'Deployment', metadata: { name: 'a' }, spec: { template: { spec: {} } } },
  ],
] as const)('%s is no workload', ([, object]) => {
  expect(readWorkloads([object])).toEqual([])
})

describe('ports', () => {
  const portsOf = (...objects: readonly object[]) => readWorkloads(objects)[0]?.ports

  test('are not known when nobody names any', () => {
    expect(portsOf(deployment())).toBeUndefined()
  })

  test('are those behind Services as well, by number or by name', () => {
    const named = deployment([{ containerPort: 8080, name: 'web' }])
    const front = service([{ port: 80, targetPort: 'web', name: 'http' }, { port: 9000 }])
    const [workload] = readWorkloads([named, front])
    expect(workload?.ports).toEqual([
      { port: 8080, protocol: 'http' },
      { port: 9000, protocol: 'unknown' },
    ])
    expect(workload?.servicePorts).toEqual(new Map([[80, 8080]]))
  })

  test.for([
    ['by name', { name: 'grpc-api' }, 'http'],
    ['by appProtocol, which comes first', { name: 'http', appProtocol: 'tcp' }, 'tcp'],
    ['by a name for opaque TLS', { name: 'https-web' }, 'tcp'],
    ['not by another name', { name: 'web' }, 'unknown'],
  ] as const)('have a protocol %s', ([, parts, protocol]) => {
    expect(portsOf(deployment(), service([{ port: 1, ...parts }]))).toEqual([{ port: 1, protocol }])
  })

  test.for([
    [
      'of another namespace',
      { ...service([{ port: 1 }]), metadata: { name: 'cart', namespace: 'else' } },
    ],
    ['of other labels', service([{ port: 1 }], { selector: { app: 'web' } })],
    ['without a selector', service([{ port: 1 }], { selector: {} })],
    ['of UDP', service([{ port: 1, protocol: 'UDP' }])],
    ['with a name that no container has', service([{ port: 1, targetPort: 'web' }])],
  ] as const)('are not those of a Service %s', ([, other]) => {
    expect(portsOf(deployment(), other)).toBeUndefined()
  })
})
