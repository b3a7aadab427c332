/** Requests and watches over real TLS: credentials, answers, refusals and bounds. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Cluster } from '../../kubernetes/cluster.ts'
import { openCluster } from '../../kubernetes/open-cluster.ts'
import { statusOf } from '../../kubernetes/status.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { toPem } from '../../spiffe/x509/pem.ts'
import { testCa } from '../fakes/ca.ts'
import { type ApiServer, event, kubeconfigText, startApiServer } from './api-server.ts'

let api: Awaited<ReturnType<typeof startApiServer>>
let cluster: Cluster
beforeAll(async () => {
  api = await startApiServer()
  cluster = await openCluster({ kubeconfig: api.kubeconfig })
})
afterAll(async () => {
  cluster?.[Symbol.dispose]()
  await api?.[Symbol.asyncDispose]()
})

const errorOf = async (work: Promise<unknown>): Promise<IdentityError> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof IdentityError) return error
  throw new Error(`not refused, but ${String(error)}`)
}

const answer = (status: number, body: string): void =>
  api.answerWith((_, response) => {
    response.writeHead(status)
    response.end(body)
  })

describe('a request', () => {
  test('carries credentials, query and body, and gives what was answered', async () => {
    answer(200, '{"kind":"Pod"}')
    const query = { fieldSelector: 'spec.nodeName=a&b' }
    const body = { spec: { a: 1 } }
    const found = await cluster.request({ method: 'PATCH', path: '/api/v1/pods', query, body })
    expect(found).toEqual({ kind: 'Pod' })
    const asked = api.asked.at(-1)
    expect(asked).toMatchObject({
      method: 'PATCH',
      path: '/api/v1/pods',
      body: JSON.stringify(body),
    })
    expect(asked?.query.get('fieldSelector')).toBe('spec.nodeName=a&b')
    expect(asked?.headers.authorization).toBe('Bearer s3cret')
    expect(asked?.headers['content-type']).toBe('application/merge-patch+json')
  })
  test('gives nothing for an empty answer', async () => {
    answer(200, '')
    expect(await cluster.request({ method: 'DELETE', path: '/x' })).toBeUndefined()
  })
  test.for([
    [400, 'REQUEST_INVALID', ''],
    [401, 'CALLER_UNIDENTIFIED', ''],
    [403, 'NOT_AUTHORIZED', ''],
    [404, 'NOT_FOUND', ''],
    [409, 'PRECONDITION_FAILED', 'Conflict'],
    [409, 'ALREADY_EXISTS', 'AlreadyExists'],
    [422, 'REQUEST_INVALID', 'Invalid'],
    [429, 'RATE_LIMITED', ''],
    [500, 'UNAVAILABLE', ''],
    [301, 'UNAVAILABLE', ''],
  ] as const)('answered by %i is refused with %s', async ([status, code, reason]) => {
    answer(status, JSON.stringify({ kind: 'Status', message: 'the reason', reason }))
    const error = await errorOf(cluster.request({ method: 'GET', path: '/api/v1/nodes' }))
    expect(error.code).toBe(code)
    expect(statusOf(error)).toBe(status)
    expect(error.message).toContain(`refused GET /api/v1/nodes with ${status}: the reason`)
  })
  test('shows no more than the beginning of a page that some proxy answers', async () => {
    answer(502, 'x'.repeat(10_000))
    const error = await errorOf(cluster.request({ method: 'GET', path: '/x' }))
    expect(error.message.length).toBeLessThan(700)
  })
  test('whose answer is no JSON fails, and its token is in no message', async () => {
    answer(200, '<html>s3cret</html>')
    const error = await errorOf(cluster.request({ method: 'GET', path: '/x' }))
    expect(error.code).toBe('UNAVAILABLE')
    answer(500, 'away')
    expect((await errorOf(cluster.request({ method: 'GET', path: '/x' }))).message).not.toContain(
      's3cret',
    )
  })
  test('that is broken off fails', async () => {
    api.answerWith((_, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('{"a"')
      api.breakOff()
    })
    expect((await errorOf(cluster.request({ method: 'GET', path: '/x' }))).code).toBe('UNAVAILABLE')
  })
  test('ends with its signal', async () => {
    const stop = new AbortController()
    api.answerWith(() => stop.abort())
    const asked = cluster.request({ method: 'GET', path: '/x', signal: stop.signal })
    expect((await errorOf(asked)).code).toBe('UNAVAILABLE')
  })
  test('ends when the cluster is closed', async () => {
    const other = await openCluster({ kubeconfig: api.kubeconfig })
    api.answerWith(() => other[Symbol.dispose]())
    expect((await errorOf(other.request({ method: 'GET', path: '/x' }))).code).toBe('UNAVAILABLE')
  })
})

describe('a watch', () => {
  const watch = () =>
    cluster.watch({ path: '/api/v1/pods', query: {}, signal: new AbortController().signal })
  test('gives one event after the other, and ends when the server ends it', async () => {
    api.answerWith((_, response) => {
      response.write(event('ADDED', { a: 1 }).slice(0, 10))
      response.write(event('ADDED', { a: 1 }).slice(10))
      response.write(event('DELETED', { a: 1 }))
      response.end('{"type":"ADD')
    })
    const types: string[] = []
    for await (const { type } of await watch()) types.push(type)
    expect(types).toEqual(['ADDED', 'DELETED'])
  })
  test('is refused as a request is', async () => {
    answer(410, JSON.stringify({ message: 'too old', reason: 'Expired' }))
    expect(statusOf(await errorOf(watch()))).toBe(410)
  })
  test('fails when the connection breaks', async () => {
    api.answerWith((_, response) => {
      response.write(event('ADDED', {}))
    })
    const events = await watch()
    const reading = errorOf(
      (async () => {
        for await (const _ of events) api.breakOff()
      })(),
    )
    expect((await reading).code).toBe('UNAVAILABLE')
  })
  test('fails at what is no JSON', async () => {
    api.answerWith((_, response) => void response.end('no JSON\n'))
    const events = await watch()
    const reading = async () => {
      for await (const _ of events) throw new Error('unreachable')
    }
    expect((await errorOf(reading())).code).toBe('UNAVAILABLE')
  })
})

describe('a cluster is not opened', () => {
  const write = (name: string, text: string): string => {
    const path = join(api.dir, name)
    writeFileSync(path, text)
    return path
  }
  test.for([
    ['by a file that is not there', () => join(api.dir, 'none'), 'cannot use the kubeconfig'],
    ['by a file that is no kubeconfig', () => write('text', '{{{'), 'cannot use the kubeconfig'],
    ['by one that names no server', () => write('empty', '{}'), 'names no API server'],
    [
      'by one whose server is no URL',
      () => write('url', kubeconfigText('not a url', '')),
      'names no API server',
    ],
  ] as const)('%s', async ([, path, why]) => {
    const error = await errorOf(openCluster({ kubeconfig: path() }))
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message).toContain(why)
  })
  test('by a context without a cluster', async () => {
    const error = await errorOf(openCluster({ kubeconfig: api.kubeconfig, context: 'nowhere' }))
    expect(error.code).toBe('CONFIG_INVALID')
  })
  test('from inside of a pod, when there is none', async () => {
    expect((await errorOf(openCluster({ kubeconfig: undefined }))).code).toBe('CONFIG_INVALID')
  })
  test('and asked for nothing when its certificate is another’s', async () => {
    const other = await testCa()
    const pem = other.bundle.x509Authorities.map(({ der }) => toPem('CERTIFICATE', der)).join('')
    const before = api.asked.length
    using stranger = await openCluster({
      kubeconfig: write('stranger', kubeconfigText(api.url, pem)),
    })
    const error = await errorOf(stranger.request({ method: 'GET', path: '/x' }))
    expect(error.code).toBe('UNAVAILABLE')
    expect(api.asked.length).toBe(before)
  })
})

test('credentials of every request are those of the file’s kind', async () => {
  answer(200, '{}')
  const path = join(api.dir, 'basic')
  const user = { username: 'me', password: 'word' }
  writeFileSync(path, kubeconfigText(api.url, (api as ApiServer & { caPem: string }).caPem, user))
  using basic = await openCluster({ kubeconfig: path })
  await basic.request({ method: 'GET', path: '/x' })
  const encoded = Buffer.from('me:word').toString('base64')
  expect(api.asked.at(-1)?.headers.authorization).toBe(`Basic ${encoded}`)
})
