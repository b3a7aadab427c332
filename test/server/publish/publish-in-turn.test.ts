import { once } from 'node:events'
import { expect, test } from 'vitest'
import {
  type Attempts,
  publicationTurn,
  publishInTurn,
} from '../../../server/publish/publish-in-turn.ts'
import type { PublisherConfig } from '../../../server/publish/publisher.ts'
import type { Turns } from '../../../server/store/turns.ts'
import { FakeClock } from '../../fakes/clock.ts'

const S3: PublisherConfig = {
  kind: 'aws_s3',
  accessKeyId: 'an-id',
  secretAccessKey: 'a-secret',
  sessionToken: undefined,
  region: 'eu-west-1',
  bucket: 'trust',
  objectKey: 'bundle.json',
  endpoint: undefined,
  format: 'spiffe',
  refreshHintSeconds: undefined,
}
const CONFIG_MAP: PublisherConfig = {
  kind: 'k8s_configmap',
  clusterName: 'demo',
  kubeconfig: '/one/kubeconfig',
  namespace: 'spire',
  configMap: 'spire-bundle',
  key: 'bundle.json',
  format: 'spiffe',
  refreshHintSeconds: undefined,
}

test('a file is each server’s own, and every server writes its own', () => {
  expect(
    publicationTurn(
      { kind: 'file', path: '/a', format: 'pem', refreshHintSeconds: undefined },
      undefined,
    ),
  ).toBe(undefined)
})

test('servers that publish the same to the same place take turns, whatever their credentials and paths', () => {
  expect(publicationTurn({ ...S3, accessKeyId: 'other', secretAccessKey: 'x' }, undefined)).toBe(
    publicationTurn(S3, undefined),
  )
  expect(publicationTurn({ ...CONFIG_MAP, kubeconfig: '/other' }, 'c1')).toBe(
    publicationTurn(CONFIG_MAP, 'c1'),
  )
})

test.each([
  ['another bucket', { ...S3, bucket: 'other' }, undefined],
  ['another endpoint', { ...S3, endpoint: 'https://minio.example' }, undefined],
  ['another format', { ...S3, format: 'pem' }, undefined],
  ['another cluster behind the same path', CONFIG_MAP, 'c2'],
  ['another key of the same ConfigMap', { ...CONFIG_MAP, key: 'bundle.pem' }, 'c1'],
] as const)('servers that publish to %s do not wait for each other', (_, config, cluster) => {
  const same = [publicationTurn(S3, undefined), publicationTurn(CONFIG_MAP, 'c1')]
  expect(same).not.toContain(publicationTurn(config, cluster))
})

test('the name of a turn shows no credentials', () => {
  expect(publicationTurn(S3, undefined)).toMatch(/^publish aws_s3 trust\/bundle\.json [0-9a-f]{8}$/)
})

/** One loop in turns that are granted at once. */
function start(isShared: boolean) {
  const clock = new FakeClock()
  const stop = new AbortController()
  const seen: Attempts[] = []
  const turns: Pick<Turns, 'hold' | 'isShared'> = {
    isShared,
    hold: (_, work, signal) => work({ signal, mustHold() {} }),
  }
  const make = (attempts: Attempts) => [
    async (signal: AbortSignal) => {
      seen.push(attempts)
      if (!signal.aborted) await once(signal, 'abort')
    },
  ]
  const ended = publishInTurn('a', { turns, clock }, make)(stop.signal)
  return { clock, stop, seen, ended }
}

test('a server that fails five times in a row lets another try, and comes back after half a minute', async () => {
  const { clock, stop, seen, ended } = start(true)
  await expect.poll(() => seen).toHaveLength(1)
  for (let i = 0; i < 5; i++) seen[0]?.failed()
  await clock.sleepers(1)
  expect(seen).toHaveLength(1)
  clock.advance(30_000)
  await expect.poll(() => seen).toHaveLength(2)
  stop.abort()
  await ended
})

test('a success in between is a new beginning', async () => {
  const { clock, stop, seen, ended } = start(true)
  await expect.poll(() => seen).toHaveLength(1)
  for (let i = 0; i < 4; i++) seen[0]?.failed()
  seen[0]?.succeeded()
  for (let i = 0; i < 4; i++) seen[0]?.failed()
  expect(clock.sleeping).toBe(0)
  stop.abort()
  await ended
})

test('a server that is alone goes on, for nobody else could do better', async () => {
  const { clock, stop, seen, ended } = start(false)
  await expect.poll(() => seen).toHaveLength(1)
  for (let i = 0; i < 50; i++) seen[0]?.failed()
  await new Promise(setImmediate)
  expect(clock.sleeping).toBe(0)
  stop.abort()
  await ended
})
