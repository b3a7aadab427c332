import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openDirectory, peerOf } from '../../../agent/node/server-directory.ts'
import { FakeClock } from '../../fakes/clock.ts'

const RECORDS: Record<string, readonly string[]> = {
  'one.example': ['192.0.2.1'],
  'three.example': ['192.0.2.1', '192.0.2.2', 'fd00::3'],
}

function open(names: readonly string[], random?: () => number) {
  const clock = new FakeClock()
  const records = new Map(Object.entries(RECORDS))
  const directory = openDirectory({
    servers: names.map((host) => ({ host, port: 8081 })),
    lookUp: async (name) => {
      const found = records.get(name)
      if (found === undefined) throw new Error(`getaddrinfo ENOTFOUND ${name}`)
      return found
    },
    ...{ clock, random },
  })
  return { clock, records, directory, peers: async () => (await directory.find()).map(peerOf) }
}

const ALL = ['192.0.2.1:8081', '192.0.2.2:8081', '[fd00::3]:8081']

test('every record of a name is a server, of both families', async () => {
  const { peers, directory } = open(['three.example'])
  expect(await peers()).toEqual(ALL)
  expect(directory.hasOthers()).toBe(true)
  expect(directory.nameOf('[fd00::3]:8081')).toBe('three.example')
})

test('an address that several names lead to is one server', async () => {
  const { peers, directory } = open(['one.example', 'three.example', '192.0.2.1'])
  expect(await peers()).toEqual(ALL)
  expect(directory.nameOf('192.0.2.9:8081')).toBeUndefined()
})

test('an IPv6 address is known as the kernel writes it', async () => {
  const { peers, directory } = open(['FD00:0:0::0001'])
  expect(await peers()).toEqual(['[fd00::1]:8081'])
  expect(directory.nameOf('[fd00::1]:8081')).toBe('FD00:0:0::0001')
  expect(directory.hasOthers()).toBe(false)
})

test('a server that was left comes last for fifteen seconds', async () => {
  const { peers, directory, clock } = open(['three.example'])
  await peers()
  directory.leave('192.0.2.1:8081')
  clock.advance(1_000)
  directory.leave('192.0.2.2:8081')
  expect(await peers()).toEqual(['[fd00::3]:8081', '192.0.2.1:8081', '192.0.2.2:8081'])
  clock.advance(14_000)
  expect(await peers()).toEqual(['192.0.2.1:8081', '[fd00::3]:8081', '192.0.2.2:8081'])
  clock.advance(1_000)
  expect(await peers()).toEqual(ALL)
})

test('when all were left, all are tried, the one left longest ago first', async () => {
  const { peers, directory, clock } = open(['three.example'])
  for (const peer of [...ALL].reverse()) {
    directory.leave(peer)
    clock.advance(1)
  }
  expect(await peers()).toEqual([...ALL].reverse())
})

test('a name that cannot be looked up any more keeps the addresses that it had', async () => {
  const { peers, records } = open(['three.example'])
  await peers()
  records.clear()
  expect(await peers()).toEqual(ALL)
})

test('one name that leads nowhere does not keep the others from being used', async () => {
  const { peers } = open(['nowhere.example', 'one.example'])
  expect(await peers()).toEqual(['192.0.2.1:8081'])
})

test('names that all lead nowhere are told, each with its reason', async () => {
  const { peers } = open(['a.example', 'b.example'])
  await expect(peers()).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message:
      'Name resolution failed: a.example: getaddrinfo ENOTFOUND a.example; b.example: getaddrinfo ENOTFOUND b.example',
  })
})

test('a name with a thousand records is not followed for ever', async () => {
  const { peers, records } = open(['three.example'])
  records.set(
    'three.example',
    Array.from({ length: 1_000 }, (_, at) => `10.0.${at >> 8}.${at & 255}`),
  )
  expect(await peers()).toHaveLength(256)
})

test('whatever the chance, each server is there once, and every one may come first', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
      (rolls) => {
        const left = [...rolls]
        const { peers } = open(['three.example'], () => left.shift() ?? 0)
        return peers().then((found) => {
          expect(found.toSorted()).toEqual(ALL.toSorted())
        })
      },
    ),
  )
  const firsts = new Set<string | undefined>()
  for (const roll of [0, 0.34, 0.67])
    firsts.add((await open(['three.example'], () => roll).peers())[0])
  expect([...firsts].toSorted()).toEqual(ALL.toSorted())
})
