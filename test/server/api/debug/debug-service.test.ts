import { status } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import type { GetInfoResponse } from '../../../../proto/gen/spire/api/server/debug/v1/GetInfoResponse.ts'
import { unixSeconds } from '../../../../spiffe/clock.ts'
import { FakeClock } from '../../../fakes/clock.ts'
import { type Clients, call, startTestServer } from '../../running-server.ts'

const info = ({ debug }: Clients) => call<GetInfoResponse>((done) => debug.GetInfo({}, done))

test('says who the server is, up to its root, for how long it runs, and how much it keeps', async () => {
  const clock = new FakeClock()
  await using server = await startTestServer({ clock })
  const first = await info(server.admin)
  const now = unixSeconds(clock.now())
  expect(first).toMatchObject({
    svid_chain: [
      {
        id: { trust_domain: 'example.org', path: '/spire/server' },
        expires_at: now + 3_600,
        subject: 'O=SPIRE,C=US',
      },
      {
        id: { trust_domain: 'example.org', path: '' },
        expires_at: now + 86_400,
        subject: expect.stringMatching(/^SERIALNUMBER=\d+,O=SPIFFE,C=US$/),
      },
    ],
    uptime: 0,
    agents_count: 0,
    entries_count: 0,
    // The own one is counted too, as SPIRE does.
    federated_bundles_count: 1,
  })
  const entry = {
    spiffe_id: { trust_domain: 'example.org', path: '/w' },
    parent_id: { trust_domain: 'example.org', path: '/n' },
    selectors: [{ type: 'unix', value: 'uid:1' }],
  }
  await call((done) => server.admin.entry.BatchCreateEntry({ entries: [entry] }, done))
  const bundle = [{ trust_domain: 'a.org' }, { trust_domain: 'b.org' }]
  await call((done) => server.admin.bundle.BatchSetFederatedBundle({ bundle }, done))
  clock.advance(90_500)
  expect(await info(server.admin)).toMatchObject({
    uptime: 90,
    agents_count: 0,
    entries_count: 1,
    federated_bundles_count: 3,
  })
})

test('attested agents are counted, and none of this is told over TCP', async () => {
  await using server = await startTestServer()
  const { certificate } = await server.attest()
  expect(await info(server.admin)).toMatchObject({ agents_count: 1 })
  for (const clients of [await server.connect(), await server.connect(certificate)]) {
    await expect(info(clients)).rejects.toMatchObject({ code: status.UNIMPLEMENTED })
  }
})
