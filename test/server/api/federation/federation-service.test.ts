import { afterAll, beforeAll, expect, test } from 'vitest'
import type { GetStandingResponse } from '../../../../proto/gen/steeple/server/federation/v1/GetStandingResponse.ts'
import { parseTrustDomain } from '../../../../spiffe/id.ts'
import { call, startTestServer, type TestServer } from '../../running-server.ts'

/** Nobody listens on port 1. */
const NOWHERE = 'https://127.0.0.1:1/bundle'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({
    config: {
      federation: {
        endpoint: undefined,
        relationships: [
          {
            trustDomain: parseTrustDomain('configured.org'),
            endpointUrl: NOWHERE,
            profile: { kind: 'https_web' },
          },
        ],
      },
    },
  })
})
afterAll(() => server[Symbol.asyncDispose]())

const standings = async (trust_domain: string) =>
  (
    await call<GetStandingResponse>((done) =>
      server.admin.federation.GetStanding({ trust_domain }, done),
    )
  ).standings

test('an endpoint that does not answer is told with the reason, the count and the next attempt', async () => {
  const find = async () => (await standings('configured.org'))[0]
  await expect.poll(async () => (await find())?.failures_in_a_row).toBeGreaterThan(0)
  const standing = await find()
  expect(standing).toMatchObject({
    ...{ trust_domain: 'configured.org', bundle_endpoint_url: NOWHERE, configured: true },
    ...{ refreshed_at: 0, has_bundle: false, bundle_sequence_number: 0, earliest_expiry: 0 },
  })
  expect(standing?.failure).toContain('ECONNREFUSED')
  expect(standing?.next_at).toBeGreaterThanOrEqual(standing?.failed_at ?? Number.NaN)
})

test('relationships of the configuration and those made by API are told together', async () => {
  await call((done) =>
    server.admin.trustDomain.BatchCreateFederationRelationship(
      {
        federation_relationships: [
          { trust_domain: 'made.org', bundle_endpoint_url: NOWHERE, https_web: {} },
        ],
      },
      done,
    ),
  )
  const all = (await standings('')).map(({ trust_domain, configured }) => [
    trust_domain,
    configured,
  ])
  expect(all.toSorted()).toEqual([
    ['configured.org', true],
    ['made.org', false],
  ])
})

test('a bundle that was set by hand is told by its number and by what of it ends first', async () => {
  const { x509_authorities } = await call<{ x509_authorities: { asn1: Buffer }[] }>((done) =>
    server.admin.bundle.GetBundle({}, done),
  )
  await call((done) =>
    server.admin.bundle.BatchSetFederatedBundle(
      { bundle: [{ trust_domain: 'configured.org', x509_authorities, sequence_number: 7 }] },
      done,
    ),
  )
  const [standing] = await standings('configured.org')
  expect(standing).toMatchObject({ has_bundle: true, bundle_sequence_number: 7 })
  expect(standing?.earliest_expiry).toBeGreaterThan(1_700_000_000)
})

test('a trust domain without a relationship is not found, and nonsense is none', async () => {
  await expect(standings('unknown.org')).rejects.toMatchObject({ code: 5 })
  await expect(standings('not a domain')).rejects.toMatchObject({ code: 3 })
})

test('nobody but an administrator is told', async () => {
  const agent = await server.attest()
  const { federation } = await server.connect(agent.certificate)
  await expect(call((done) => federation.GetStanding({}, done))).rejects.toMatchObject({ code: 7 })
})
