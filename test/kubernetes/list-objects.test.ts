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
    { metadata: { continue: 'here' }, items: [1, 2] },
    { metadata: { continue: '' }, items: [3] },
  )
  expect(await listObjects(cluster, '/api/v1/pods', { labelSelector: 'a=b' })).toEqual([1, 2, 3])
  expect(asked.map(({ query }) => query)).toEqual([
    { labelSelector: 'a=b', limit: '500' },
    { labelSelector: 'a=b', limit: '500', continue: 'here' },
  ])
})

test.for([
  ['an empty object', {}],
  ['items that are no list', { items: {} }],
  ['a continue that is no text', { items: [], metadata: { continue: 7 } }],
] as const)('%s is a list of nothing', async ([, answer]) => {
  expect(await listObjects(pages(answer).cluster, '/api/v1/pods')).toEqual([])
})

test('a server that never comes to an end is given up', async () => {
  const { cluster, asked } = pages({ metadata: { continue: 'more' }, items: [1] })
  await expect(listObjects(cluster, '/api/v1/pods')).rejects.toThrow(
    '/api/v1/pods has more than 200000 objects',
  )
  expect(asked).toHaveLength(400)
})
