/** Every decision vector that was run against Istio's own builders in Envoy and ztunnel: ours must be the same. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { runVectors } from '../../policy/vectors/run-vectors.ts'

const document: unknown = parse(
  readFileSync(join(import.meta.dirname, '..', 'vectors', 'authz-cases.yaml'), 'utf8'),
)
const results = await runVectors(document)

test('the file holds vectors of every kind', () => {
  const counts = Object.groupBy(results, ({ section }) => section)
  expect(Object.keys(counts).sort()).toEqual([
    'cases',
    'pathNormalizationCases',
    'peerAuthenticationCases',
    'requestAuthenticationCases',
    'validationCases',
  ])
  expect(counts.cases?.length).toBeGreaterThan(100)
})

describe.each([
  'cases',
  'peerAuthenticationCases',
  'requestAuthenticationCases',
  'validationCases',
  'pathNormalizationCases',
] as const)('%s', (section) => {
  test.each(results.filter((result) => result.section === section))('$id $title', (result) => {
    expect(result).toMatchObject({ kind: 'passed' })
  })
})
