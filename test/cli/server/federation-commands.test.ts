/** Federations by command, at a real server. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { failed, type Operator, openOperator, printed } from './operator.ts'

let operator: Operator
beforeAll(async () => {
  operator = await openOperator()
})
afterAll(async () => await operator[Symbol.asyncDispose]())
const steeple: Operator['steeple'] = (...command) => operator.steeple(...command)

const WEB = '-bundleEndpointURL https://b.invalid/b -bundleEndpointProfile https_web'
const SPIFFE = '-bundleEndpointURL https://b.invalid/b -bundleEndpointProfile https_spiffe'
const text = (name: string, url: string, ...profile: readonly string[]) => {
  const lines = [
    `Trust domain              : ${name}`,
    `Bundle endpoint URL       : ${url}`,
    `Bundle endpoint profile   : ${profile[0]}`,
    ...profile.slice(1).map((id) => `Endpoint SPIFFE ID        : ${id}`),
  ]
  return `\n${lines.join('\n')}\n`
}
const data = (name: string, content: unknown) => {
  const path = join(operator.files, name)
  writeFileSync(path, JSON.stringify(content))
  return ['-data', path]
}

test('a federation is made, shown, changed, listed and ended', async () => {
  expect(await steeple('federation list')).toEqual(printed('Found 0 federation relationships\n'))
  const made = text('b.org', 'https://b.invalid/b', 'https_web')
  expect(await steeple(`federation create -trustDomain b.org ${WEB}`)).toEqual(printed(made))
  // What is asked of an endpoint that is not there fails sooner or later; both are right.
  const first =
    'Last refreshed            : not since the server started\nNext refresh              : '
  const last = 'Bundle ends first         : there is no bundle yet\n'
  const shown = await steeple('federation show -trustDomain b.org')
  expect(shown.out).toContain(
    `Found a federation relationship with trust domain b.org:\n${made}${first}`,
  )
  expect(shown.out.endsWith(last)).toBe(true)
  const changed = text('b.org', 'https://b.invalid/b', 'https_spiffe', 'spiffe://b.org/e')
  expect(
    await steeple(
      `federation update -trustDomain b.org ${SPIFFE} -endpointSpiffeID spiffe://b.org/e`,
    ),
  ).toEqual(printed(changed))
  expect((await steeple('federation list')).out).toContain(
    `Found 1 federation relationship\n${changed}${first}`,
  )
  expect(await steeple('federation delete -id b.org')).toEqual(
    printed('federation relationship deleted.\n'),
  )
  expect(await steeple('federation list -output json')).toEqual(
    printed('{"federation_relationships":[],"next_page_token":""}\n'),
  )
})

test('a file may describe several, and those that are refused do not stop the others', async () => {
  const one = { bundleEndpointURL: 'https://c.invalid/b', bundleEndpointProfile: 'https_web' }
  const named = (...names: readonly string[]) => ({
    federationRelationships: names.map((trustDomain) => ({ trustDomain, ...one, Colour: 'red' })),
  })
  const ran = await steeple('federation create', data('two.json', named('example.org', 'c.org')))
  expect(ran.code).toBe(1)
  expect(ran.out).toBe(`${text('c.org', 'https://c.invalid/b', 'https_web')}\n`)
  expect(ran.err).toContain(
    'Failed to create the following federation relationship (code: InvalidArgument, msg: "unable to create federation relationship for server trust domain"):\nTrust domain              : example.org\n',
  )
  expect(ran.err).toContain('Warning: federationRelationships[0].Colour')
  expect(ran.err).toMatch(/Error: failed to create one or more federation relationships\n$/)
})

test.for([
  ['create', 'trust domain is required'],
  ['create -trustDomain b.org', 'bundle endpoint URL is required'],
  [
    'create -trustDomain b.org -bundleEndpointURL https://b.invalid',
    'unknown bundle endpoint profile type: ""',
  ],
  [
    `create -trustDomain b.org ${SPIFFE}`,
    "endpoint SPIFFE ID is required if 'https_spiffe' endpoint profile is set",
  ],
  [
    `create -trustDomain b.org ${SPIFFE} -endpointSpiffeID nonsense`,
    'cannot parse bundle endpoint SPIFFE ID: scheme is missing or invalid',
  ],
  [
    `create -trustDomain b.org ${WEB} -trustDomainBundlePath /nowhere`,
    'cannot read bundle file: open /nowhere: no such file or directory',
  ],
  ['update -data /nowhere', 'open /nowhere: no such file or directory'],
  [
    'update -data x -trustDomain b.org',
    "cannot use other flags to specify relationship fields when 'data' flag is set",
  ],
  ['show', 'a trust domain name is required'],
  [
    'show -trustDomain nobody.org',
    'error showing federation relationship: rpc error: code = NotFound desc = federation relationship does not exist',
  ],
  ['refresh', 'id is required'],
  ['refresh -id nobody.org', 'there is no federation relationship with trust domain "nobody.org"'],
  ['delete', 'id is required'],
  [
    'delete -id nobody.org',
    'failed to delete federation relationship "nobody.org": federation relationship not found',
  ],
] as const)('federation %s is refused', async ([line, why]) => {
  expect(await steeple(`federation ${line}`)).toEqual(failed(why))
})

const FROM = { trustDomain: 'd.org', bundleEndpointURL: 'https://d.invalid' }

test.for([
  [{}, 'trust domain is required'],
  [FROM, 'unknown bundle endpoint profile type: ""'],
  [
    { ...FROM, bundleEndpointProfile: 'https_web', trustDomainBundle: 'x' },
    'cannot parse bundle raw message: bundle format "" is unsupported',
  ],
  [
    {
      ...FROM,
      bundleEndpointProfile: 'https_web',
      trustDomainBundle: 'x',
      trustDomainBundleFormat: 'pem',
    },
    'cannot parse bundle raw message: unable to parse bundle data: no PEM blocks',
  ],
] as const)('a file with %j is refused with its place', async ([item, why]) => {
  const flags = data('wrong.json', { federationRelationships: [item] })
  expect(await steeple('federation create', flags)).toEqual(
    failed(`could not parse item 0: ${why}`),
  )
})

test('a file with a value of the wrong type is refused with the place of the value', async () => {
  const flags = data('type.json', { federationRelationships: [{ trustDomain: 5 }] })
  expect(await steeple('federation create', flags)).toEqual(
    failed('failed to parse JSON: federationRelationships[0].trustDomain is 5, expected text'),
  )
})
