import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readConnect, refusalOf } from '../../../proxy/hbone/connect-request.ts'

const rules = {
  destinationIp: '10.0.0.7',
  addresses: ['10.9.9.9', 'fd00::7'],
  ownPorts: new Set([15_001, 15_006, 15_008]),
}

describe('the authority of a CONNECT', () => {
  test.each([
    ['10.0.0.7:8080', { ip: '10.0.0.7', port: 8080 }],
    ['[fd00::7]:1', { ip: 'fd00::7', port: 1 }],
    ['[::ffff:10.0.0.7]:65535', { ip: '::ffff:10.0.0.7', port: 65_535 }],
  ])('%s is an address of a port', (authority, target) => {
    expect(readConnect('CONNECT', authority)).toEqual({ kind: 'target', target })
  })

  test.each([
    undefined,
    '',
    '10.0.0.7',
    '10.0.0.7:',
    '10.0.0.7:0',
    '10.0.0.7:65536',
    '10.0.0.7:080',
    '10.0.0.07:80',
    '010.0.0.7:80',
    '10.0.0.256:80',
    '10.0.0:80',
    'fd00::7:80',
    '[10.0.0.7]:80',
    '[fd00::7%eth0]:80',
    '[fd00::7]',
    'orders.shop:8080',
    'user@10.0.0.7:80',
    '10.0.0.7:80/',
    ' 10.0.0.7:80',
    '10.0.0.7:80\n',
  ])('%j is refused', (authority) => {
    expect(readConnect('CONNECT', authority)).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('expected ip:port'),
    })
  })

  test('any other method is refused', () => {
    expect(readConnect('GET', '10.0.0.7:80')).toMatchObject({ kind: 'refused' })
    expect(readConnect(undefined, '10.0.0.7:80')).toMatchObject({ kind: 'refused' })
  })

  test('whatever is sent is read or refused, and a message shows a bounded part of it', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 500 }), (text) => {
        const read = readConnect('CONNECT', text)
        if (read.kind === 'refused') expect(read.reason.length).toBeLessThan(500)
        else expect(read.target.port).toBeGreaterThan(0)
      }),
    )
  })
})

describe('a target', () => {
  test.each([
    ['10.0.0.7', 8080],
    ['10.9.9.9', 8080],
    ['::ffff:10.0.0.7', 8080],
    ['fd00:0:0:0:0:0:0:7', 443],
  ])('%s is the workload’s, however it is written', (ip, port) => {
    expect(refusalOf({ ip, port }, rules)).toBeUndefined()
  })

  test.each(['10.0.0.8', '127.0.0.1', '::1', '0.0.0.0', '169.254.169.254', 'fd00::8'])(
    '%s is another machine’s, and refused',
    (ip) => {
      expect(refusalOf({ ip, port: 8080 }, rules)).toContain('expected 10.0.0.7')
    },
  )

  test.each([15_001, 15_006, 15_008])('port %i is the proxy’s own, and refused', (port) => {
    expect(refusalOf({ ip: '10.0.0.7', port }, rules)).toContain('the proxy')
  })
})
