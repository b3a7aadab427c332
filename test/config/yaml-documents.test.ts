import { expect, test } from 'vitest'
import { parseYamlDocuments } from '../../config/yaml-documents.ts'
import { refusalOf } from '../spiffe/refusal.ts'

test('documents whose lines end as on Windows are read', () => {
  const documents = parseYamlDocuments('x.yaml', 'a: 1\r\n---\r\nb: 2\r\n')
  expect(documents.map(({ line, value }) => [line, value])).toEqual([
    [1, { a: 1 }],
    [3, { b: 2 }],
  ])
})

test('a rule that one reader sees and another takes for the end of a comment is refused in its place', () => {
  const text = 'rules: # of the shop\r- to: []\n'
  expect(refusalOf(() => parseYamlDocuments('x.yaml', text))).toContain(
    'x.yaml:1:21: not YAML: a carriage return without a line feed',
  )
})
