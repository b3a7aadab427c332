import { afterAll, beforeAll, expect, test } from 'vitest'
import { type End, exitCodeOf, firstToBreak } from '../../../cli/bundle-doctor/examination.ts'
import { examineJwt, examineX509 } from '../../../cli/bundle-doctor/examine-authorities.ts'
import { examineFederations } from '../../../cli/bundle-doctor/examine-federation.ts'
import { examineAgents, examineServerSvid } from '../../../cli/bundle-doctor/examine-svids.ts'
import type { AuthorityState } from '../../../proto/gen/spire/api/server/localauthority/v1/AuthorityState.ts'
import type { Agent } from '../../../proto/gen/spire/api/types/Agent.ts'
import type { Bundle } from '../../../proto/gen/spire/api/types/Bundle.ts'
import type { Standing } from '../../../proto/gen/steeple/server/federation/v1/Standing.ts'
import { unixSeconds } from '../../../spiffe/clock.ts'
import { authorityIdOf } from '../../../spiffe/x509/key-id.ts'
import { TEST_NOW, testCa } from '../../fakes/ca.ts'
import { call, startTestServer, type TestServer } from '../../server/running-server.ts'
import { run } from '../run.ts'

const HOUR = 3_600_000
const around = (fromHours: number, toHours: number) => ({
  notBefore: new Date(TEST_NOW.getTime() + fromHours * HOUR),
  notAfter: new Date(TEST_NOW.getTime() + toHours * HOUR),
})
const now = TEST_NOW
const bundleWith = (der: Uint8Array, more: Partial<Bundle> = {}, tainted = false): Bundle => ({
  trust_domain: 'partner.org',
  x509_authorities: [{ asn1: Buffer.from(der), tainted }],
  ...{ jwt_authorities: [], wit_authorities: [], refresh_hint: 0, sequence_number: 1 },
  ...more,
})
const state = (authority_id: string, hours: number, upstream = ''): AuthorityState => ({
  authority_id,
  expires_at: unixSeconds(now) + hours * 3600,
  upstream_authority_subject_key_id: upstream,
})
const only = (active: AuthorityState | null) => ({ active, prepared: null, old: null })

test('an authority in the middle of its life is no finding', async () => {
  const { certificate } = await testCa(around(-12, 12))
  const id = authorityIdOf(certificate)
  const { findings, ends } = examineX509(bundleWith(certificate), only(state(id, 12)), now)
  expect(findings).toEqual([])
  expect(ends).toEqual([expect.objectContaining({ subject: `X.509 authority ${id} (active)` })])
})

test('an authority near its end without a successor is told before it breaks anything', async () => {
  const { certificate } = await testCa(around(-23, 1))
  const id = authorityIdOf(certificate)
  const { findings } = examineX509(bundleWith(certificate), only(state(id, 1)), now)
  expect(findings).toMatchObject([
    { severity: 'warning', problem: 'it is near its end and no next one is prepared' },
  ])
})

test.for([
  ['has ended', state('id', -1), 'it has ended'],
  ['is not there', null, 'no JWT authority signs'],
] as const)('an authority to sign with that %s is an error', async ([, active, problem]) => {
  const { certificate } = await testCa()
  const { findings } = examineJwt(bundleWith(certificate), only(active), now)
  expect(findings).toMatchObject([{ severity: 'error', problem }])
})

test('a tainted authority that is still in the bundle is an unfinished rotation', async () => {
  const { certificate } = await testCa(around(-12, 12))
  const { findings } = examineX509(bundleWith(certificate, {}, true), undefined, now)
  expect(findings).toMatchObject([
    { severity: 'warning', remedy: expect.stringContaining('steeple authority rotate x509') },
  ])
})

test('an upstream root near its end is told, and so is the CA below it that is in no bundle', async () => {
  const { certificate } = await testCa(around(-99, 1))
  const root = authorityIdOf(certificate)
  const own = only(state('below', 1, root))
  const { findings, ends } = examineX509(bundleWith(certificate), own, now)
  expect(findings).toMatchObject([{ severity: 'warning', problem: 'the upstream root ends soon' }])
  expect(ends.map(({ subject }) => subject)).toEqual([
    `X.509 authority ${root} (upstream)`,
    'X.509 CA below (active)',
  ])
})

test('a federated bundle that has ended, that cannot be read or that is missing is an error', async () => {
  const { certificate } = await testCa(around(-9, -1))
  const nothing = { relationships: [], standings: undefined }
  const ended = { ...nothing, bundles: [bundleWith(certificate)] }
  const unreadable = { ...nothing, bundles: [bundleWith(new Uint8Array([1, 2, 3]))] }
  const missing = { bundles: [], relationships: [], standings: [standing({})] }
  for (const federations of [ended, unreadable, missing]) {
    const { findings } = examineFederations(federations, now)
    expect(findings[0]).toMatchObject({ severity: 'error', subject: 'bundle of partner.org' })
  }
})

const standing = (more: Partial<Standing>): Standing => ({
  ...{ trust_domain: 'partner.org', bundle_endpoint_url: 'https://b.invalid', configured: true },
  ...{ refreshed_at: 0, next_at: 0, failed_at: 0, failure: '', failures_in_a_row: 0 },
  ...{ has_bundle: false, bundle_sequence_number: 0, earliest_expiry: 0 },
  ...more,
})

test('an endpoint that fails is told with the reason while the bundle is still good', async () => {
  const { certificate } = await testCa(around(-12, 12))
  const standings = [standing({ failed_at: 5, failure: 'no route\n', failures_in_a_row: 3 })]
  const federations = { bundles: [bundleWith(certificate)], relationships: [], standings }
  const { findings } = examineFederations(federations, now)
  expect(findings).toMatchObject([{ severity: 'warning' }])
  expect(findings[0]?.problem).toContain('3 times in a row: "no route\\n"')
})

test('a bundle without a relationship says that nothing fetches it', async () => {
  const { certificate } = await testCa(around(-9, -1))
  const federations = { bundles: [bundleWith(certificate)], relationships: [], standings: [] }
  const { findings } = examineFederations(federations, now)
  expect(findings[0]?.remedy).toContain('it is not fetched by itself')
})

const agent = (name: string, seconds: number, more: Partial<Agent> = {}): Agent => ({
  id: { trust_domain: 'example.org', path: `/spire/agent/${name}` },
  ...{ attestation_type: 'join_token', x509svid_serial_number: '1', selectors: [] },
  ...{ banned: false, can_reattest: false, agent_version: '' },
  x509svid_expires_at: unixSeconds(now) + seconds,
  ...more,
})

test('agents whose SVID has ended are told, banned ones are not', () => {
  const agents = [agent('good', 3600), agent('gone', -1), agent('out', -1, { banned: true })]
  const { findings, ends } = examineAgents(agents, now)
  expect(findings.map(({ subject }) => subject)).toEqual([
    'SVID of agent spiffe://example.org/spire/agent/gone',
  ])
  expect(findings[0]?.remedy).toContain('new join token')
  expect(ends).toHaveLength(1)
})

test('of very many agents some are named and the others counted', () => {
  const agents = Array.from({ length: 100 }, (_, n) => agent(`a${n}`, -1))
  const { findings } = examineAgents(agents, now)
  expect(findings).toHaveLength(21)
  expect(findings.at(-1)?.problem).toBe('of 80 more the SVID has ended')
})

test('a server without an SVID of its own that is valid is an error', () => {
  const svid_chain = [{ id: null, subject: '', expires_at: unixSeconds(now) - 1 }]
  const counts = { uptime: 1, agents_count: 0, federated_bundles_count: 0, entries_count: 0 }
  expect(examineServerSvid({ svid_chain, ...counts }, now).findings).toMatchObject([
    { severity: 'error' },
  ])
})

test('what breaks first is the earliest end to come of something that is needed', () => {
  const end = (subject: string, hours: number, breaks: string): End => ({
    ...{ subject, breaks },
    at: new Date(now.getTime() + hours * HOUR),
  })
  const ends = [end('past', -1, 'x'), end('idle', 1, ''), end('late', 9, 'x'), end('soon', 2, 'x')]
  expect(firstToBreak(ends, now)?.subject).toBe('soon')
  expect(firstToBreak([], now)).toBeUndefined()
})

test('the exit code is that of the worst finding', () => {
  const finding = (severity: 'warning' | 'error') => ({
    ...{ severity, subject: '', problem: '', remedy: '' },
  })
  expect(exitCodeOf([])).toBe(0)
  expect(exitCodeOf([finding('warning')])).toBe(2)
  expect(exitCodeOf([finding('warning'), finding('error')])).toBe(1)
})

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server[Symbol.asyncDispose]())
const doctor = (more = '') => run(`bundle doctor -socketPath ${server.socketPath} ${more}`)

test('at a healthy server nothing is wrong, and the server’s own SVID is the first to end', async () => {
  const { code, out, err } = await doctor()
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out).toMatch(
    /^Nothing is wrong\n\nCalendar:\n {2}\d{4}-.* in (?:\d+h)?\d+m\d+s {2}SVID of the server\n/,
  )
  expect(out).toContain('(active)')
  expect(out).toMatch(
    /SVID of the server breaks first, in (?:\d+h)?\d+m\d+s: agents cannot connect\n$/,
  )
})

test('a federation without a bundle is an error, in text and in JSON', async () => {
  await call((done) =>
    server.admin.trustDomain.BatchCreateFederationRelationship(
      {
        federation_relationships: [
          {
            trust_domain: 'partner.org',
            bundle_endpoint_url: 'https://127.0.0.1:1',
            https_web: {},
          },
        ],
      },
      done,
    ),
  )
  const { code, out } = await doctor('-output json')
  expect(code).toBe(1)
  const told = JSON.parse(out)
  expect(told.findings[0]).toMatchObject({ severity: 'error', subject: 'bundle of partner.org' })
  expect(told.breaks_first.subject).toBe('SVID of the server')
  expect((await doctor()).out).toContain('ERROR: bundle of partner.org: there is none yet')
})

test('a server that cannot be asked is an error', async () => {
  const { code, err } = await run('bundle doctor -socketPath /nowhere/api.sock')
  expect(code).toBe(1)
  expect(err).toContain('There is no socket /nowhere/api.sock')
})
