import { expect, test } from 'vitest'
import { run } from '../run.ts'

test('prints rules for nft, which may be applied as they stand', async () => {
  const { code, out, err } = await run('proxy rules')
  expect([code, err]).toEqual([0, ''])
  expect(out).toMatch(/^# for nft -f -\ntable inet steeple\ndelete table inet steeple\n/)
  expect(out).toContain('redirect to :15006')
})

test('prints rules for iptables of both families, with the ports that are given', async () => {
  const words =
    '-inboundPort 16006 -outboundPort 16001 -hbonePort 16008 -excludeInboundPorts 9090,22'
  const { out } = await run(`proxy rules -firewall iptables ${words}`)
  expect(out).toContain('# for iptables-restore --noflush\n*nat\n')
  expect(out).toContain('# for ip6tables-restore --noflush\n*nat\n')
  expect(out).toContain('-A STEEPLE_PREROUTING -p tcp -j REDIRECT --to-ports 16006\n')
  expect(out).toContain('-A STEEPLE_OUTPUT -p tcp -j REDIRECT --to-ports 16001\n')
  for (const port of [16_008, 9090, 22]) {
    expect(out).toContain(`-A STEEPLE_PREROUTING -p tcp --dport ${port} -j ACCEPT\n`)
  }
})

test.each([
  ['-firewall ufw', 'expected nft or iptables'],
  ['-inboundPort 0', 'expected a port from 1 to 65535'],
  ['-inboundPort -1', 'expected a port from 1 to 65535'],
  ['-hbonePort 65536', 'expected a port from 1 to 65535'],
  ['-excludeInboundPorts 80,http', '"http", expected a port'],
  ['-excludeInboundPorts 80;reboot', 'expected a port'],
  ['-inboundPort 15001', 'give each another one'],
  ['-apply -remove', 'exclude each other'],
])('%s is refused', async (words, message) => {
  const { code, out, err } = await run(`proxy rules ${words}`)
  expect([code, out]).toEqual([1, ''])
  expect(err).toContain(message)
})

test('a namespace that is not there is told, with what the program said', async () => {
  const { code, err } = await run('proxy rules -apply -firewall nft -netns /run/netns/not-there')
  expect(code).toBe(1)
  expect(err).toMatch(/nft failed in \/run\/netns\/not-there: .*(not-there|nsenter).*/)
})
