/** Bundles of other trust domains by command, at a real server. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { toPem } from '../../../spiffe/x509/pem.ts'
import { testCa } from '../../fakes/ca.ts'
import { failed, type Operator, openOperator, printed } from './operator.ts'

let operator: Operator
let pem: string
let pemFile: string
beforeAll(async () => {
  operator = await openOperator()
  pem = toPem('CERTIFICATE', (await testCa()).certificate)
  pemFile = join(operator.files, 'foreign.pem')
  writeFileSync(pemFile, pem)
})
afterAll(async () => await operator[Symbol.asyncDispose]())
const steeple: Operator['steeple'] = (...command) => operator.steeple(...command)

const RULE = '*'.repeat(40)

test('without federation there is nothing to list, and one bundle to count', async () => {
  expect(await steeple('bundle list')).toEqual(printed(''))
  expect(await steeple('bundle list -output json')).toEqual(
    printed('{"bundles":[],"next_page_token":""}\n'),
  )
  expect(await steeple('bundle count')).toEqual(printed('1 bundle\n'))
})

test('a bundle is set from a file or standard input, listed, counted and deleted', async () => {
  expect(await steeple('bundle set -id spiffe://b.org -path', [pemFile])).toEqual(
    printed('bundle set.\n'),
  )
  const document = (await steeple('bundle list -id b.org -format spiffe')).out
  const fromInput = await steeple('bundle set -id c.org -format SPIFFE', [], { input: document })
  expect(fromInput).toEqual(printed('bundle set.\n'))
  const titled = (name: string) => `${RULE}\n* ${name}\n${RULE}\nPEM CERTIFICATE\n`
  expect(await steeple('bundle list')).toEqual(printed(`${titled('b.org')}\n${titled('c.org')}`))
  expect(await steeple('bundle list -id c.org')).toEqual(printed('PEM CERTIFICATE\n'))
  const { out } = await steeple('bundle list -id b.org -output json')
  expect(JSON.parse(out)).toMatchObject({ trust_domain: 'b.org', sequence_number: '0' })
  expect(await steeple('bundle count -output json')).toEqual(printed('{"count":3}\n'))
  expect(await steeple('bundle delete -id b.org')).toEqual(printed('bundle deleted.\n'))
  expect(await steeple('bundle delete -id c.org -mode dissociate -output json')).toEqual(
    printed('{"results":[{"status":{"code":0,"message":"OK"},"trust_domain":"c.org"}]}\n'),
  )
  expect(await steeple('bundle count')).toEqual(printed('1 bundle\n'))
})

const CHARACTERS =
  'trust domain characters are limited to lowercase letters, numbers, dots, dashes, and underscores'

test.for([
  ['bundle set', 'id flag is required'],
  ['bundle set -id b.org', 'unable to parse bundle data: no PEM blocks'],
  ['bundle set -id b.org -format nonsense', 'invalid format: "nonsense"'],
  [
    'bundle set -id b.org -path /nowhere',
    'unable to load bundle data: open /nowhere: no such file or directory',
  ],
  [
    'bundle set -id b.org -format spiffe',
    'unable to parse to spiffe bundle: not JSON: expected a value at offset 0, found the end',
  ],
  ['bundle list -id nobody.org', 'rpc error: code = NotFound desc = bundle not found'],
  [
    'bundle list -id BAD',
    `rpc error: code = InvalidArgument desc = trust domain argument is not valid: ${CHARACTERS}`,
  ],
  ['bundle delete', 'id is required'],
  ['bundle delete -id b.org -mode RESTRICT', 'unsupported mode "RESTRICT"'],
  [
    'bundle delete -id nobody.org',
    'failed to delete federated bundle "nobody.org": bundle not found',
  ],
  [
    'bundle delete -id example.org',
    'failed to delete federated bundle "example.org": removing the bundle for the server trust domain is not allowed',
  ],
] as const)('%s is refused', async ([line, why]) => {
  expect(await steeple(line)).toEqual(failed(why))
})

test('a name that is no trust domain is refused before a document and after a PEM is read', async () => {
  const input = '{"keys":[]}'
  expect(await steeple('bundle set -id BAD -format spiffe', [], { input })).toEqual(
    failed(CHARACTERS),
  )
  expect(await steeple('bundle set -id BAD', [], { input: pem })).toEqual(
    failed(`failed to set federated bundle: trust domain argument is not valid: ${CHARACTERS}`),
  )
})

test('a private key is never taken for a bundle', async () => {
  const input = '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'
  expect(await steeple('bundle set -id b.org', [], { input })).toEqual(
    failed('unable to parse bundle data: expected block type "CERTIFICATE"; got "PRIVATE KEY"'),
  )
})

test('an unknown format is refused as soon as there is something to print', async () => {
  expect(await steeple('bundle list -format nonsense')).toEqual(printed(''))
  await steeple('bundle set -id b.org -path', [pemFile])
  expect(await steeple('bundle list -format nonsense')).toEqual(
    failed('invalid format: "nonsense"'),
  )
  await steeple('bundle delete -id b.org')
})
