/** Reading a list page by page, as an API server hands it out. */
import { expect, test } from 'vitest'
import type { Cluster, ClusterRequest } from '../../kubernetes/cluster.ts'
import { listObjects } from '../../kubernetes/list-objects.ts'

/** Answers each request with the next page; the last one again for ever. */
function pages(...answers: readonly object[]) {
  const asked: ClusterRequest[] = []
  const cluster: Cluster = {
    server: 'https://cluster.test',
    async request(request) {
      asked.push(request)
      return answers[Math.min(asked.length, answers.length) - 1]
    },
    watch: () => Promise.reject(new Error('nobody watches')),
    [Symbol.dispose]() {},
  }
  return { asked, cluster }
}

test('all pages are read in their order, each from where the one before ended', async () => {
  const { cluster, asked } = pages(
    { metadata: { continue: 'here', resourceVersion: '1' }, items: [1, 2] },
    { metadata: { continue: '', resourceVersion: '1' }, items: [3] },
  )
  expect(await listObjects(cluster, '/api/v1/pods', { labelSelector: 'a=b' })).toEqual([1, 2, 3])
  expect(asked.map(({ query }) => query)).toEqual([
    { labelSelector: 'a=b', limit: '500' },
    { labelSelector: 'a=b', limit: '500', continue: 'here' },
  ])
})

test('a list of nothing that Go writes as null is one', async () => {
  const { cluster } = pages({ metadata: { resourceVersion: '1' }, items: null })
  expect(await listObjects(cluster, '/api/v1/pods')).toEqual([])
})

test.for([
  ['an empty object', {}],
  ['items that are no list', { items: {}, metadata: { resourceVersion: '1' } }],
  ['a list without a version', { items: [] }],
  ['a refusal with the status of a success', { kind: 'Status', message: 'no' }],
] as const)('%s is no list, and not one of nothing', async ([, answer]) => {
  await expect(listObjects(pages(answer).cluster, '/api/v1/pods')).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  })
})

test('a server that never comes to an end is given up', async () => {
  const metadata = { continue: 'more', resourceVersion: '1' }
  const { cluster, asked } = pages({ metadata, items: [1] })
  await expect(listObjects(cluster, '/api/v1/pods')).rejects.toThrow('in more than 2000 pages')
  expect(asked).toHaveLength(2_000)
})
