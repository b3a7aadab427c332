/** A copy of all objects, against a server that lists, watches, breaks off, forgets and comes back. */

import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Cluster } from '../../kubernetes/cluster.ts'
import { copyObjects, type Followed, type ObjectChange } from '../../kubernetes/follow-objects.ts'
import { openCluster } from '../../kubernetes/open-cluster.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { memoryLog } from '../fakes/memory-log.ts'
import { type Asked, event, list, object, startApiServer } from './api-server.ts'

interface Copied extends Followed {
  readonly value: string
}

let api: Awaited<ReturnType<typeof startApiServer>>
let cluster: Cluster
beforeEach(async () => {
  api = await startApiServer()
  cluster = await openCluster({ kubeconfig: api.kubeconfig })
})
afterEach(async () => {
  cluster[Symbol.dispose]()
  await api[Symbol.asyncDispose]()
})

const shown = (change: ObjectChange<Copied>): string => {
  const { meta, value } = change.kind === 'set' ? change.object : change.before
  const was =
    change.kind === 'set' && change.before !== undefined ? ` was ${change.before.value}` : ''
  return `${change.kind} ${meta.name} ${value}${was}`.trim()
}

/** Follows what the server says; clocks are short, since nothing is measured. */
function follow() {
  const changes: string[] = []
  const stop = new AbortController()
  const { log, lines } = memoryLog()
  let synced = 0
  const copy = copyObjects<Copied>({
    ...{ cluster, path: '/api/v1/pods', log },
    read: (_, meta) =>
      meta.labels.value === 'skip' ? undefined : { meta, value: meta.labels.value ?? '' },
    changed: (change) => void changes.push(shown(change)),
    synced: () => {
      synced += 1
    },
    clock: {
      now: systemClock.now,
      sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 5), signal),
    },
    random: () => 0.5,
  })
  const following = copy.follow(stop.signal)
  return {
    ...{ copy, changes, lines },
    synced: () => synced,
    end: async () => {
      stop.abort()
      await following
    },
  }
}

/** Answers lists by the first function and watches, one after the other, by the others; then watches stay open. */
function serve(
  lists: (asked: Asked) => string,
  ...watches: readonly ((asked: Asked, response: ServerResponse) => void)[]
) {
  const left = [...watches]
  api.answerWith((asked, response) => {
    if (asked.query.get('watch') !== 'true') return void response.end(lists(asked))
    response.flushHeaders()
    left.shift()?.(asked, response)
  })
}

const watched = () => api.asked.filter(({ query }) => query.get('watch') === 'true')
const listed = () => api.asked.filter(({ query }) => query.get('watch') !== 'true')

describe('a copy', () => {
  test('is complete after the first list, in pages, and follows from its version', async () => {
    serve((asked) =>
      asked.query.get('continue') === 'more'
        ? list('8', [object('b', 2, undefined, 'y')])
        : list('7', [object('a', 1, undefined, 'x')], 'more'),
    )
    const { copy, changes, end } = follow()
    await copy.complete
    expect(changes).toEqual(['set a x', 'set b y'])
    expect([copy.size, copy.get('ns', 'b')?.value, copy.problem()]).toEqual([2, 'y', undefined])
    await expect.poll(() => watched().length).toBe(1)
    expect(watched()[0]?.query.get('resourceVersion')).toBe('8')
    expect(watched()[0]?.query.get('allowWatchBookmarks')).toBe('true')
    await end()
  })

  test('changes with each event, and tells one change once', async () => {
    serve(
      () => list('5', [object('a', 1, undefined, 'x'), object('c', 2, undefined, 'z')]),
      (_, response) => {
        response.write(event('ADDED', object('b', 6)))
        response.write(event('MODIFIED', object('a', 7, undefined, 'y')))
        response.write(event('MODIFIED', object('a', 7, undefined, 'y')))
        response.write(event('DELETED', object('c', 8)))
        response.write(event('DELETED', object('c', 8)))
      },
    )
    const { changes, end } = follow()
    await expect.poll(() => changes.length).toBe(5)
    expect(changes).toEqual(['set a x', 'set c z', 'set b', 'set a y was x', 'removed c z'])
    await end()
  })

  test('tells another object of the same name as the end of the first', async () => {
    serve(
      () => list('5', [object('a', 1, 'old', 'x')]),
      (_, response) => void response.write(event('MODIFIED', object('a', 6, 'new', 'y'))),
    )
    const { changes, end } = follow()
    await expect.poll(() => changes.length).toBe(3)
    expect(changes).toEqual(['set a x', 'removed a x', 'set a y'])
    await end()
  })

  test('leaves out what is not to be kept, also when it becomes so', async () => {
    serve(
      () => list('5', [object('a', 1, undefined, 'skip'), object('b', 2, undefined, 'x')]),
      (_, response) => void response.write(event('MODIFIED', object('b', 6, undefined, 'skip'))),
    )
    const { copy, changes, end } = follow()
    await expect.poll(() => changes.length).toBe(2)
    expect(changes).toEqual(['set b x', 'removed b x'])
    expect(copy.size).toBe(0)
    await end()
  })

  test('goes on from where a watch ended, without a list', async () => {
    serve(
      () => list('5', []),
      (_, response) =>
        void response.end(
          event('ADDED', object('a', 6)) +
            event('BOOKMARK', { metadata: { resourceVersion: '9' } }),
        ),
      (_, response) => void response.write(event('ADDED', object('b', 10))),
    )
    const { changes, end } = follow()
    await expect.poll(() => changes).toEqual(['set a', 'set b'])
    expect(watched().map(({ query }) => query.get('resourceVersion'))).toEqual(['5', '9'])
    expect(listed()).toHaveLength(1)
    await end()
  })

  test.for(['as an answer', 'as an event'] as const)(
    'lists anew when its place is forgotten (%s), and tells differences only',
    async (how) => {
      const gone = { code: 410, reason: 'Expired', message: 'too old' }
      const lists = [
        list('5', [object('a', 1, undefined, 'x'), object('b', 2), object('c', 3)]),
        list('20', [
          object('a', 1, undefined, 'x'),
          object('b', 9, undefined, 'y'),
          object('d', 8),
        ]),
      ]
      let isForgotten = false
      api.answerWith((asked, response) => {
        if (asked.query.get('watch') !== 'true') return void response.end(lists.shift())
        if (isForgotten) return response.flushHeaders()
        isForgotten = true
        if (how === 'as an event') return void response.end(event('ERROR', gone))
        response.writeHead(410)
        response.end(JSON.stringify(gone))
      })
      const { changes, copy, end } = follow()
      await expect.poll(() => changes.length).toBe(6)
      expect(changes.slice(3)).toEqual(['set b y was', 'set d', 'removed c'])
      expect([...copy.values()].map(({ meta }) => meta.name).sort()).toEqual(['a', 'b', 'd'])
      await end()
    },
  )

  test('stays as it is while the server is away, and says why', async () => {
    let isAway = false
    api.answerWith((asked, response) => {
      if (isAway) return void response.destroy()
      if (asked.query.get('watch') !== 'true') return void response.end(list('5', [object('a', 1)]))
      response.flushHeaders()
    })
    const { copy, lines, synced, end } = follow()
    await copy.complete
    await expect.poll(() => watched().length).toBe(1)
    isAway = true
    api.breakOff()
    await expect.poll(() => copy.problem()).toBeDefined()
    expect(copy.size).toBe(1)
    await expect.poll(() => watched().length).toBeGreaterThan(4)
    isAway = false
    await expect.poll(() => copy.problem()).toBeUndefined()
    expect(synced()).toBe(2)
    expect(lines.filter(({ msg }) => msg.startsWith('Lost touch'))).toHaveLength(1)
    expect(lines.some(({ msg }) => msg.startsWith('Following the API server again'))).toBe(true)
    await end()
  })

  test('is never taken for empty because of a list that failed in the middle', async () => {
    let round = 0
    api.answerWith((asked, response) => {
      if (asked.query.get('watch') === 'true') {
        response.writeHead(410)
        return void response.end('{}')
      }
      round += 1
      if (round === 1) return void response.end(list('5', [object('a', 1), object('b', 2)]))
      if (asked.query.get('continue') === 'more') return void response.destroy()
      response.end(list('9', [object('a', 1)], 'more'))
    })
    const { copy, changes, end } = follow()
    await copy.complete
    await expect.poll(() => round).toBeGreaterThan(5)
    expect(copy.size).toBe(2)
    expect(changes).toEqual(['set a', 'set b'])
    await end()
  })

  test.for([
    ['nothing at all', ''],
    ['an object without items', '{"metadata":{"resourceVersion":"9"}}'],
    ['a list without a version', '{"metadata":{},"items":[]}'],
    ['a status', '{"kind":"Status","status":"Success"}'],
    ['items that are no list', '{"metadata":{"resourceVersion":"9"},"items":{}}'],
  ] as const)('is never taken for empty because the list was %s', async ([, answer]) => {
    let round = 0
    api.answerWith((asked, response) => {
      if (asked.query.get('watch') === 'true') {
        response.writeHead(410)
        return void response.end('{}')
      }
      round += 1
      response.end(round === 1 ? list('5', [object('a', 1)]) : answer)
    })
    const { copy, changes, end } = follow()
    await copy.complete
    await expect.poll(() => copy.problem()).toMatch(/no list$/)
    await expect.poll(() => round).toBeGreaterThan(3)
    expect([copy.size, changes]).toEqual([1, ['set a']])
    await end()
  })

  test('is empty where the list says so, in either way', async () => {
    serve(() => '{"metadata":{"resourceVersion":"9"},"items":null}')
    const { copy, end } = follow()
    await copy.complete
    expect([copy.size, copy.problem()]).toEqual([0, undefined])
    await end()
  })

  test('keeps an object when the end of its predecessor is told late', async () => {
    serve(
      () => list('5', [object('a', 4, 'new', 'x')]),
      (_, response) => {
        response.write(event('DELETED', object('a', 6, 'old', 'x')))
        response.write(event('ADDED', object('b', 7)))
      },
    )
    const { copy, changes, end } = follow()
    await expect.poll(() => changes).toEqual(['set a x', 'set b'])
    expect(copy.size).toBe(2)
    await end()
  })

  test('takes no notice of an event with a word that nobody knows', async () => {
    serve(
      () => list('5', [object('a', 1, undefined, 'x')]),
      (_, response) => {
        response.write(event('REPLACED', object('a', 6, undefined, 'y')))
        response.write(event('ADDED', object('b', 7)))
      },
    )
    const { changes, end } = follow()
    await expect.poll(() => changes).toEqual(['set a x', 'set b'])
    await end()
  })

  test('gives up a list that has no end', async () => {
    let pages = 0
    const endless: Cluster = {
      ...{ server: 'https://endless', [Symbol.dispose]() {}, watch: cluster.watch },
      async request() {
        pages += 1
        return { metadata: { resourceVersion: '5', continue: 'more' }, items: [] }
      },
    }
    const stop = new AbortController()
    const copy = copyObjects<Followed>({
      ...{ cluster: endless, path: '/api/v1/pods', log: memoryLog().log, random: () => 0.5 },
      read: (_, meta) => ({ meta }),
      clock: { now: systemClock.now, sleep: async () => stop.abort() },
    })
    await copy.follow(stop.signal)
    expect(copy.problem()).toContain('in more than 2000 pages')
    expect(pages).toBe(2_000)
  })

  test.for([
    ['ends each watch at once', ''],
    ['forgets each place at once', event('ERROR', { code: 410, reason: 'Expired' })],
  ] as const)('asks less and less often when the server %s', async ([, said]) => {
    const pauses: number[] = []
    const stop = new AbortController()
    api.answerWith((asked, response) =>
      response.end(asked.query.get('watch') === 'true' ? said : list('5', [object('a', 1)])),
    )
    const copy = copyObjects<Followed>({
      ...{ cluster, path: '/api/v1/pods', log: memoryLog().log, random: () => 0.5 },
      read: (_, meta) => ({ meta }),
      clock: {
        now: () => new Date(0),
        async sleep(ms) {
          pauses.push(ms)
          if (pauses.length === 10) stop.abort()
        },
      },
    })
    await copy.follow(stop.signal)
    expect(pauses.slice(0, 4)).toEqual([200, 400, 800, 1_600])
    expect([copy.size, Math.max(...pauses)]).toEqual([1, 15_000])
  })

  test('refuses nothing of what has no name, and keeps none of it', async () => {
    serve(() => list('5', [{}, { metadata: { name: 'x' } }, object('a', 1)]))
    const { copy, end } = follow()
    await copy.complete
    expect(copy.size).toBe(1)
    await end()
  })

  test('asks less and less often when the answer is no', async () => {
    const pauses: number[] = []
    const stop = new AbortController()
    api.answerWith((_, response) => {
      response.writeHead(403)
      response.end('{}')
    })
    const copy = copyObjects<Followed>({
      ...{ cluster, path: '/api/v1/pods', log: memoryLog().log, random: () => 0.5 },
      read: (_, meta) => ({ meta }),
      clock: {
        now: systemClock.now,
        async sleep(ms) {
          pauses.push(ms)
          if (pauses.length === 10) stop.abort()
        },
      },
    })
    await copy.follow(stop.signal)
    expect(pauses.slice(0, 4)).toEqual([200, 400, 800, 1_600])
    expect(Math.max(...pauses)).toBe(15_000)
    expect(copy.problem()).toContain('403')
  })
})
