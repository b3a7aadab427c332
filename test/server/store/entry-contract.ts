/** The contract of registration entries: creating, changing, removing, paging, pruning. */
import { expect, test } from 'vitest'
import { applyChange } from '../../../server/entries/entry-mask.ts'
import { eachPage, MAX_PAGE_ITEMS } from '../../../server/store/page.ts'
import type { CreateEntryResult } from '../../../server/store/store.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { idOf, newEntry, selectorsOf } from '../entries/sample-entry.ts'
import { bundle, partner, vendor } from './sample-bundle.ts'
import { START, type StoreUnderTest } from './store-under-test.ts'

const kinds = (results: readonly { readonly kind: string }[]) => results.map(({ kind }) => kind)

const numbered = (count: number) =>
  Array.from({ length: count }, (_, i) => newEntry({ id: `e${i}`, spiffeId: idOf(`/w${i}`) }))

export function entryContract(underTest: () => StoreUnderTest): void {
  const entries = () => underTest().store.entries

  test('a created entry is what was asked for, at revision 0', async () => {
    await underTest().store.bundles.update(partner, () => bundle())
    const wanted = newEntry({
      id: 'chosen',
      selectors: selectorsOf('unix:uid:1', 'unix:path:/bin/a:b'),
      x509SvidTtlSeconds: 60,
      jwtSvidTtlSeconds: 30,
      federatesWith: [partner],
      admin: true,
      downstream: true,
      expiresAt: new Date('2031-01-01T00:00:00Z'),
      dnsNames: ['b.example', 'a.example'],
      storeSvid: true,
      hint: 'интерн',
      disableX509SvidPrefetch: true,
      jwtSvidIncludeJti: true,
    })
    const entry = { ...wanted, id: 'chosen', revisionNumber: 0, createdAt: START }
    expect(await entries().create([wanted])).toEqual([{ kind: 'created', entry }])
    expect(await entries().find('chosen')).toEqual(entry)
  })

  test('an entry without an ID gets a random one', async () => {
    const [result] = await entries().create([newEntry()])
    expect(result).toMatchObject({ kind: 'created', entry: { id: 'random-1' } })
  })

  test('the time of creation is kept in whole seconds', async () => {
    underTest().setNow(new Date(START.getTime() + 999))
    const [result] = await entries().create([newEntry()])
    expect(result).toMatchObject({ entry: { createdAt: START } })
  })

  test('a similar entry is returned instead of creating a second one', async () => {
    const first = newEntry({ id: 'first', selectors: selectorsOf('a:1', 'a:2') })
    await entries().create([first])
    const again = newEntry({ id: 'second', selectors: selectorsOf('a:2', 'a:1'), hint: 'other' })
    const [result] = await entries().create([again])
    expect(result).toMatchObject({ kind: 'similar', entry: { id: 'first', hint: '' } })
    expect(await entries().count({})).toBe(1)
  })

  test('similar entries of one batch, and of batches at the same time, are created once', async () => {
    const batches = await Promise.all([
      entries().create([newEntry({ id: 'a' }), newEntry({ id: 'b' })]),
      entries().create([newEntry({ id: 'c' })]),
    ])
    expect(kinds(batches.flat())).toEqual(['created', 'similar', 'similar'])
    expect(await entries().count({})).toBe(1)
  })

  test.for([
    ['SPIFFE ID', newEntry({ spiffeId: idOf('/db') })],
    ['parent', newEntry({ parentId: idOf('/spire/server') })],
    ['selectors', newEntry({ selectors: selectorsOf('unix:uid:1000', 'unix:gid:1000') })],
    // a concatenation of the parts would not tell these two apart
    ['split of ID and parent', newEntry({ spiffeId: idOf('/webspiffe') })],
  ] as const)('entries of different %s are not similar', async ([, second]) => {
    expect(kinds(await entries().create([newEntry(), second]))).toEqual(['created', 'created'])
  })

  test('an ID that is taken is refused, and the entry that has it stays', async () => {
    const [first, second] = [newEntry({ id: 'x' }), newEntry({ id: 'x', spiffeId: idOf('/db') })]
    const results = await entries().create([first, second])
    expect(results[1]).toEqual({ kind: 'id-taken', id: 'x' })
    expect((await entries().find('x'))?.spiffeId).toBe(first.spiffeId)
  })

  test('IDs in other letter case are other IDs', async () => {
    const results = await entries().create([
      newEntry({ id: 'x' }),
      newEntry({ id: 'X', spiffeId: idOf('/db') }),
    ])
    expect(kinds(results)).toEqual(['created', 'created'])
  })

  test('an entry cannot federate with a trust domain whose bundle is not there', async () => {
    await underTest().store.bundles.update(partner, () => bundle())
    const [result] = await entries().create([newEntry({ federatesWith: [partner, vendor] })])
    expect(result).toEqual({ kind: 'bundle-missing', trustDomain: vendor })
    expect(await entries().count({})).toBe(0)
  })

  test('items of a batch that fail leave the others alone, in order', async () => {
    const results = await entries().create([
      newEntry({ id: 'a' }),
      newEntry({ id: 'b', spiffeId: idOf('/b'), federatesWith: [vendor] }),
      newEntry({ id: 'a', spiffeId: idOf('/c') }),
      newEntry({ id: 'd', spiffeId: idOf('/d') }),
    ])
    expect(kinds(results)).toEqual(['created', 'bundle-missing', 'id-taken', 'created'])
    expect(await entries().count({})).toBe(2)
  })

  test('an update writes what the function makes of the present entry and adds one revision', async () => {
    await entries().create([newEntry({ id: 'x', hint: 'old', dnsNames: ['a.example'] })])
    const change = { hint: 'new', selectors: selectorsOf('a:1') }
    const [result] = await entries().update([{ id: 'x', change: (e) => applyChange(e, change) }])
    const expected = { hint: 'new', dnsNames: ['a.example'], revisionNumber: 1 }
    expect(result).toMatchObject({ kind: 'updated', entry: expected })
    expect(await entries().find('x')).toMatchObject({ ...expected, selectors: ['a:1'] })
    const bySelector = (text: string) =>
      entries().count({ selectors: { match: 'any', values: selectorsOf(text) } })
    expect(await bySelector('a:1')).toBe(1)
    expect(await bySelector('unix:uid:1000')).toBe(0)
  })

  test('an update that changes nothing still adds one revision, and keeps the rest', async () => {
    const [created] = await entries().create([newEntry({ id: 'x' })])
    const before = (created as Extract<CreateEntryResult, { kind: 'created' }>).entry
    underTest().setNow(new Date('2030-02-01T00:00:00Z'))
    const same = { id: 'x', change: (e: typeof before) => e }
    await entries().update([same, same])
    expect(await entries().find('x')).toEqual({ ...before, revisionNumber: 2 })
  })

  test('an update does not look for similar entries, but finds them similar afterwards', async () => {
    await entries().create([newEntry({ id: 'x' }), newEntry({ id: 'y', spiffeId: idOf('/y') })])
    const toY = { id: 'x', change: (e: object) => ({ ...newEntry(), ...e, spiffeId: idOf('/y') }) }
    expect(kinds(await entries().update([toY]))).toEqual(['updated'])
    const [result] = await entries().create([newEntry({ spiffeId: idOf('/y') })])
    expect(result).toMatchObject({ kind: 'similar', entry: { id: 'x' } })
  })

  test('updates of missing entries, with missing bundles and refused ones touch nothing', async () => {
    await entries().create([newEntry({ id: 'x' })])
    const refusal = new IdentityError('ENTRY_INVALID', 'no')
    const results = await entries().update([
      { id: 'gone', change: (e) => e },
      { id: 'x', change: (e) => ({ ...e, hint: 'a', federatesWith: [vendor] }) },
      {
        id: 'x',
        change: () => {
          throw refusal
        },
      },
    ])
    expect(results).toEqual([
      { kind: 'not-found', id: 'gone' },
      { kind: 'bundle-missing', trustDomain: vendor },
      { kind: 'refused', error: refusal },
    ])
    expect(await entries().find('x')).toMatchObject({ hint: '', revisionNumber: 0 })
  })

  test('a bug in the function of an update undoes the whole call and surfaces', async () => {
    await entries().create([newEntry({ id: 'x' })])
    const broken = entries().update([
      { id: 'x', change: (e) => ({ ...e, hint: 'half' }) },
      {
        id: 'x',
        change: () => {
          throw new TypeError('a bug')
        },
      },
    ])
    const bystander = entries().create([newEntry({ id: 'y', spiffeId: idOf('/y') })])
    await expect(broken).rejects.toThrow(TypeError)
    expect(kinds(await bystander)).toEqual(['created'])
    expect(await entries().find('x')).toMatchObject({ hint: '', revisionNumber: 0 })
  })

  test('a removed entry is gone, with its selectors, and its ID is free again', async () => {
    await entries().create([newEntry({ id: 'x' })])
    expect(await entries().remove(['x', 'x', 'never'])).toEqual([
      { kind: 'removed', id: 'x' },
      { kind: 'not-found', id: 'x' },
      { kind: 'not-found', id: 'never' },
    ])
    expect(await entries().find('x')).toBeUndefined()
    expect(kinds(await entries().create([newEntry({ id: 'x' })]))).toEqual(['created'])
  })

  test('many entries are found by their IDs, without those that are not there', async () => {
    await entries().create(numbered(250))
    const ids = [...Array.from({ length: 250 }, (_, i) => `e${i}`), 'gone']
    const found = await entries().findMany(ids)
    expect(found.map(({ id }) => id).sort()).toEqual(ids.slice(0, 250).sort())
    expect(await entries().findMany([])).toEqual([])
  })

  test.for([1, 2, 3, 5, 6, 7, 100])(
    'pages of %i give every entry once, oldest first, and no token too many',
    async (size) => {
      await entries().create(numbered(6))
      const seen: string[] = []
      let token = ''
      let pages = 0
      do {
        const page = await entries().list({}, { size, token })
        expect(page.items.length).toBeGreaterThan(0)
        expect(page.items.length).toBeLessThanOrEqual(size)
        seen.push(...page.items.map(({ id }) => id))
        token = page.nextToken
        pages += 1
      } while (token !== '')
      expect(seen).toEqual(['e0', 'e1', 'e2', 'e3', 'e4', 'e5'])
      expect(pages).toBe(Math.ceil(6 / size))
    },
  )

  test('pages of a filtered list are full and end without an empty one', async () => {
    await entries().create(
      numbered(9).map((entry, i) => ({ ...entry, hint: i % 3 === 0 ? 'third' : 'other' })),
    )
    const first = await entries().list({ hint: 'third' }, { size: 2, token: '' })
    expect(first.items.map(({ id }) => id)).toEqual(['e0', 'e3'])
    const second = await entries().list({ hint: 'third' }, { size: 2, token: first.nextToken })
    expect(second.items.map(({ id }) => id)).toEqual(['e6'])
    expect(second.nextToken).toBe('')
  })

  test('entries that go while pages are read do not disturb the pages that follow', async () => {
    await entries().create(numbered(6))
    const first = await entries().list({}, { size: 2, token: '' })
    await entries().remove(['e1', 'e2'])
    const second = await entries().list({}, { size: 2, token: first.nextToken })
    expect(second.items.map(({ id }) => id)).toEqual(['e3', 'e4'])
  })

  test('an empty store has an empty page and no token', async () => {
    expect(await entries().list({}, { size: 10, token: '' })).toEqual({ items: [], nextToken: '' })
  })

  test('a whole list is read page by page', async () => {
    await entries().create(numbered(7))
    const sizes: number[] = []
    for await (const page of eachPage((request) => entries().list({}, request), 3)) {
      sizes.push(page.length)
    }
    expect(sizes).toEqual([3, 3, 1])
  })

  test('a page larger than the bound is read as the bound', async () => {
    await entries().create(numbered(3))
    const page = await entries().list({}, { size: MAX_PAGE_ITEMS * 10, token: '' })
    expect(page.items).toHaveLength(3)
  })

  const encoded = (text: string) => Buffer.from(text).toString('base64url')
  test.for([
    'zz',
    '1',
    ' ',
    encoded('nodes/1'),
    encoded('entries/'),
    encoded('entries/x'),
    encoded('entries/1 or 1=1'),
    encoded('entries/-1'),
    encoded('entries/9007199254740993'),
    `${encoded('entries/1')}=`,
  ])('the page token %j is refused', async (token) => {
    const listing = entries().list({}, { size: 2, token })
    await expect(listing).rejects.toThrow(
      expect.objectContaining({
        code: 'REQUEST_INVALID',
        message: expect.stringContaining('token'),
      }),
    )
  })

  test.for([0, -1, 1.5, Number.NaN])('a page size of %d is refused', async (size) => {
    await expect(entries().list({}, { size, token: '' })).rejects.toThrow(
      expect.objectContaining({ code: 'REQUEST_INVALID' }),
    )
  })

  test('expired entries are pruned, oldest expiry first and no more than asked', async () => {
    const at = (id: string, expiresAt: Date | undefined) =>
      newEntry({ id, spiffeId: idOf(`/${id}`), expiresAt })
    await entries().create([
      at('never', undefined),
      at('late', new Date('2030-01-02T00:00:00Z')),
      at('b', new Date('2029-12-31T00:00:00Z')),
      at('a', new Date('2029-12-30T00:00:00Z')),
      at('now', START),
    ])
    expect((await entries().pruneExpired(START, 1)).map(({ id }) => id)).toEqual(['a'])
    expect((await entries().pruneExpired(START, 10)).map(({ id }) => id)).toEqual(['b'])
    expect(await entries().pruneExpired(START, 10)).toEqual([])
    expect(await entries().count({})).toBe(3)
  })
}
