/** Names of Kubernetes in a configuration, in a block that counts only when it is there. */
import { expect, test } from 'vitest'
import { optional, required, section } from '../../config/check.ts'
import { ifWritten } from '../../config/if-written.ts'
import { namespaceName, objectName } from '../../config/kubernetes-name.ts'
import { newReport } from '../../config/mistake.ts'
import { parseConfig } from '../../config/parse.ts'

const lease = section({
  namespace: required(namespaceName(), 'namespace of the lease'),
  name: required(objectName('the name of a Lease'), 'its name'),
})
const file = section({ lease: optional(ifWritten(lease), 'the lease') })

function read(source: string) {
  const root = parseConfig('x.conf', source)
  const report = newReport()
  const value = file.read(
    [{ key: '', value: root, place: root.place }],
    { name: '', place: root.place },
    { report, readText: () => '' },
  )
  return { lease: value?.lease, mistakes: report.mistakes.length }
}

const withNames = (namespace: string, name: string) =>
  read(`lease { namespace = "${namespace}"  name = "${name}" }`)

test('a block that is not there lacks none of its keys, and one that is lacks them', () => {
  expect(read('')).toEqual({ lease: undefined, mistakes: 0 })
  expect(read('lease {}').mistakes).toBe(2)
})

test.for([
  ['shop', 'leader.shop'],
  ['a', '1'],
  ['a'.repeat(63), 'b'.repeat(253)],
] as const)('takes namespace %s and object %s', ([namespace, name]) => {
  expect(withNames(namespace, name)).toMatchObject({ lease: { namespace, name }, mistakes: 0 })
})

test.for(['Shop', '-shop', 'shop-', 'sh.op', 'sh/op', '../shop', 'sh op', 'a'.repeat(64)])(
  'refuses the namespace %s',
  (namespace) => {
    expect(withNames(namespace, 'leader').mistakes).toBe(1)
  },
)

test.for(['Leader', '.leader', 'leader.', 'lea_der', 'lea/der', 'läder', 'a'.repeat(254)])(
  'refuses the object %s',
  (name) => {
    expect(withNames('shop', name).mistakes).toBe(1)
  },
)
