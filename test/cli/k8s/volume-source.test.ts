/** Where a path in a container comes from, as the kubelet mounts volumes. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { volumeSource } from '../../../cli/k8s/volume-source.ts'

const spec = {
  containers: [
    {
      name: 'app',
      volumeMounts: [
        { name: 'host', mountPath: '/run/sockets' },
        { name: 'config', mountPath: '/etc/app' },
        { name: 'items', mountPath: '/etc/items' },
        { name: 'config', mountPath: '/etc/app.json', subPath: 'deep/app.json' },
        { name: 'projected', mountPath: '/var/run/tokens/', readOnly: true },
        { name: 'empty', mountPath: '/run/sockets/inner' },
        { name: 'host', mountPath: '/read', readOnly: true, subPath: 'sub' },
        { name: 'csi', mountPath: '/csi' },
        { name: 'nowhere', mountPath: '/lost' },
      ],
    },
  ],
  initContainers: [{ name: 'init', volumeMounts: [{ name: 'host', mountPath: '/' }] }],
  volumes: [
    { name: 'host', hostPath: { path: '/run/host/' } },
    { name: 'config', configMap: { name: 'settings' } },
    { name: 'items', configMap: { name: 'some', items: [{ key: 'a.json', path: 'b.json' }] } },
    {
      name: 'projected',
      projected: {
        sources: [
          { serviceAccountToken: { path: 'token', audience: 'spire-server' } },
          { configMap: { name: 'roots', items: [{ key: 'ca.crt', path: 'ca.pem' }] } },
        ],
      },
    },
    { name: 'empty', emptyDir: {} },
    { name: 'csi', csi: { driver: 'csi.spiffe.io' } },
  ],
}

test.for([
  ['/run/sockets/api.sock', { kind: 'hostPath', path: '/run/host/api.sock', isReadOnly: false }],
  ['/run/sockets', { kind: 'hostPath', path: '/run/host/', isReadOnly: false }],
  ['/run/sockets/inner/api.sock', { kind: 'other', volume: 'emptyDir' }],
  ['/run/socketsandmore', { kind: 'none' }],
  ['/etc/app/server.json', { kind: 'configMap', name: 'settings', key: 'server.json' }],
  ['/etc/app.json', { kind: 'configMap', name: 'settings', key: 'deep/app.json' }],
  ['/etc/items/b.json', { kind: 'configMap', name: 'some', key: 'a.json' }],
  ['/var/run/tokens/token', { kind: 'token', audience: 'spire-server' }],
  ['/var/run/tokens/ca.pem', { kind: 'configMap', name: 'roots', key: 'ca.crt' }],
  ['/var/run/tokens/other', { kind: 'other', volume: 'projected' }],
  ['/read/file', { kind: 'hostPath', path: '/run/host/sub/file', isReadOnly: true }],
  ['/csi/spire-agent.sock', { kind: 'csi', driver: 'csi.spiffe.io' }],
  ['/lost/file', { kind: 'none' }],
  ['/', { kind: 'none' }],
] as const)('%s', ([path, expected]) => {
  expect(volumeSource(spec, 'app', path)).toEqual(expected)
})

test('an init container is looked at too, and a volume at the root holds everything', () => {
  expect(volumeSource(spec, 'init', '/any/file')).toEqual({
    ...{ kind: 'hostPath', path: '/run/host/any/file', isReadOnly: false },
  })
})

test('nothing that a pod may have for a spec makes it throw', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string(), fc.string(), (value, container, path) => {
      expect(volumeSource(value, container, path)).toHaveProperty('kind')
    }),
  )
})
