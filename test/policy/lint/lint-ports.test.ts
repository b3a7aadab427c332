import { describe, expect, test } from 'vitest'
import { policy } from '../material.ts'
import { allow, cart, deny, findingsOf, operation, peers, source, when } from './material.ts'

const http = { port: 8080, protocol: 'http' } as const
const tcp = { port: 9000, protocol: 'tcp' } as const
const behindService = cart([http, tcp], { servicePorts: new Map([[80, 8080]]) })
const ports = (...values: readonly string[]) => operation({ ports: values })

describe('a port', () => {
  test('of the Service is told with the one behind it', () => {
    const [finding] = findingsOf('port-of-service', [allow(ports('80'))], {
      workloads: [behindService],
    })
    expect(finding).toMatchObject({
      severity: 'error',
      field: 'spec.rules[0].to[0].operation.ports',
      what: '80 is the port of the Service; the workload listens at 8080, so 80 admits nobody',
      instead: 'write 8080',
    })
  })

  test('at which nobody listens is told, in conditions too', () => {
    const found = (one: ReturnType<typeof allow>) =>
      findingsOf('port-not-on-workload', [one], { workloads: [behindService] })
    expect(found(deny(ports('8443')))[0]?.what).toContain('denies nobody')
    expect(found(allow(when('destination.port', ['8443'])))[0]?.instead).toBe(
      'write one of 8080, 9000',
    )
  })

  test.for([
    ['somebody listens there', allow(ports('8080')), [behindService]],
    [
      'another selected workload listens there',
      allow(ports('80')),
      [behindService, cart([{ port: 80, protocol: 'http' }])],
    ],
    ['nobody says where a workload listens', allow(ports('80')), [behindService, cart(undefined)]],
    ['no workload is known', allow(ports('80')), []],
    [
      'the workload is of another namespace',
      allow(ports('80')),
      [{ ...behindService, namespace: 'else' }],
    ],
  ] as const)('is left alone when %s', ([, one, workloads]) => {
    expect(findingsOf('port-of-service', [one], { workloads })).toEqual([])
    expect(findingsOf('port-not-on-workload', [one], { workloads })).toEqual([])
  })

  test('of a PeerAuthentication is the workload’s too', () => {
    const spec = (port: number) => ({
      selector: { matchLabels: { app: 'cart' } },
      portLevelMtls: { [port]: { mode: 'DISABLE' } },
    })
    const found = (port: number) =>
      findingsOf(
        'port-of-service',
        [],
        { workloads: [behindService] },
        { peerAuthentications: [peers('p', spec(port))] },
      )
    expect(found(80)).toMatchObject([
      { kind: 'PeerAuthentication', field: 'spec.portLevelMtls.80' },
    ])
    expect(found(8080)).toEqual([])
  })
})

describe('a rule about requests', () => {
  const workloads = [behindService]
  const get = { methods: ['GET'] }

  test('of ALLOW is left out at a TCP port, for nothing if it names that port', () => {
    const [finding] = findingsOf(
      'request-rule-on-tcp',
      [allow(operation({ ...get, ports: ['9000'] }))],
      { workloads },
    )
    expect(finding).toMatchObject({ severity: 'error', rule: 0 })
    expect(finding?.what).toBe(
      'TCP port 9000 of shop/cart has no method: there the whole rule is left out and admits nobody',
    )
  })

  test('of DENY is applied to a TCP port without looking at requests', () => {
    const [finding] = findingsOf('request-rule-on-tcp', [deny(operation(get))], { workloads })
    expect(finding).toMatchObject({ severity: 'warning' })
    expect(finding?.what).toContain('applied without looking at it')
  })

  test.for([
    ['it names HTTP ports alone', deny(operation({ ...get, ports: ['8080'] }))],
    ['it leaves the TCP port out', deny(operation({ ...get, notPorts: ['9000'] }))],
    [
      'a condition names HTTP ports alone',
      deny({ ...operation(get), ...when('destination.port', ['8080']) }),
    ],
    ['it has no field of requests', deny(source({ principals: ['*'] }))],
  ] as const)('is left alone when %s', ([, one]) => {
    expect(findingsOf('request-rule-on-tcp', [one], { workloads })).toEqual([])
  })

  test('is left alone where every port speaks HTTP, or may', () => {
    const found = (protocol: 'http' | 'unknown') =>
      findingsOf('request-rule-on-tcp', [deny(operation(get))], {
        workloads: [cart([{ port: 8080, protocol }])],
      })
    expect(found('http')).toEqual([])
    expect(found('unknown')).toEqual([])
  })
})

describe('DENY with fields of requests alone', () => {
  test.for([
    ['methods', deny(operation({ methods: ['GET'] }))],
    ['a token', deny(source({ requestPrincipals: ['*'] }))],
    [
      'an operation beside a source of connections',
      deny({ ...source({ namespaces: ['web'] }), ...operation({ paths: ['/a*'] }) }),
    ],
    ['a header', deny(when('request.headers[a]', ['b']))],
  ] as const)('denies TCP ports: %s', ([, one]) => {
    expect(findingsOf('deny-without-l4', [one])).toMatchObject([
      { severity: 'warning', field: 'spec.rules[0]' },
    ])
  })

  test.for([
    ['a port beside them', deny(operation({ methods: ['GET'], ports: ['8080'] }))],
    ['no field of requests', deny(source({ namespaces: ['web'] }))],
    ['no fields at all', deny({})],
    ['another action', allow(operation({ methods: ['GET'] }))],
    [
      'another action with a provider',
      policy('p', {
        action: 'CUSTOM',
        provider: { name: 'opa' },
        rules: [operation({ methods: ['GET'] })],
      }),
    ],
  ] as const)('is not %s', ([, one]) => {
    expect(findingsOf('deny-without-l4', [one])).toEqual([])
  })

  test('is left alone where every port of every workload is known to speak HTTP', () => {
    const found = (protocol: 'http' | 'unknown') =>
      findingsOf('deny-without-l4', [deny(operation({ methods: ['GET'] }))], {
        workloads: [cart([{ port: 8080, protocol }])],
      }).length
    expect(found('http')).toBe(0)
    expect(found('unknown')).toBe(1)
  })
})

describe('a provider that is asked by HTTP', () => {
  const ask = (name: string, fields: object = {}) =>
    policy('p', { action: 'CUSTOM', provider: { name }, rules: [fields] })
  const found = (one: ReturnType<typeof ask>, workloads = [behindService]) =>
    findingsOf('provider-not-asked-on-tcp', [one], { workloads })

  test('is not asked at a TCP port, where connections pass', () => {
    const [finding] = found(ask('web'))
    expect(finding).toMatchObject({ severity: 'error', rule: 0 })
    expect(finding?.what).toContain('at TCP port 9000 of shop/cart nobody asks it')
  })

  test('is left alone where it can be asked, and so is one that is asked by gRPC', () => {
    expect(found(ask('opa'))).toEqual([])
    expect(found(ask('web', ports('8080')))).toEqual([])
    expect(found(ask('web'), [cart([http])])).toEqual([])
    expect(found(ask('nobody'))).toEqual([])
  })
})
