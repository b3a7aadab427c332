import { expect, test } from 'vitest'
import { readMeta } from '../../../kubernetes/object.ts'
import { dnsNamesOf, readConfiguration } from '../../../server/admission/webhook-configurations.ts'

function configuration(...clients: readonly object[]) {
  const object = {
    metadata: { name: 'hooks', uid: 'u', resourceVersion: '1' },
    webhooks: clients.map((clientConfig, at) => ({ name: `w${at}`, clientConfig })),
  }
  const meta = readMeta(object)
  if (meta === undefined) throw new Error('it has no name')
  return readConfiguration(object, meta)
}

const service = (name: string, namespace: string) => ({ service: { name, namespace } })

test('the names of Services are those by which the API server calls, each once', () => {
  const all = [
    configuration(service('b', 'spire'), service('a', 'spire')),
    configuration(service('a', 'spire')),
  ]
  expect(dnsNamesOf(all)).toEqual(['a.spire.svc', 'b.spire.svc'])
})

test('a host name in a URL is one, an address is none', () => {
  const urls = ['https://hook.example:9443/x', 'https://10.0.0.1/x', 'https://[::1]/x', 'no URL']
  expect(dnsNamesOf([configuration(...urls.map((url) => ({ url })))])).toEqual(['hook.example'])
})

test('what no certificate may carry is left out', () => {
  const odd = [
    service('a b', 'c'),
    service('', 'c'),
    service('a', ''),
    {},
    service('x'.repeat(300), 'c'),
  ]
  expect(dnsNamesOf([configuration(...odd)])).toEqual([])
})

test('no configuration brings more names than a certificate shall have', () => {
  const many = Array.from({ length: 200 }, (_, at) => service(`s${at}`, 'ns'))
  expect(dnsNamesOf([configuration(...many)])).toHaveLength(50)
})
