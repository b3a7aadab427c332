import { expect, test } from 'vitest'
import { readProxyConfig } from '../../../proxy/config.ts'

const read = (tracing: string) =>
  readProxyConfig({
    path: 'proxy.conf',
    text: `proxy {
      inbound "db" { listen = "127.0.0.1:1"  upstream = "127.0.0.1:2" }
      ${tracing}
    }`,
    ...{ flags: {}, env: {} },
    readText: () => '',
  })

const AT = 'otlp_endpoint = "http://127.0.0.1:4318"'

test('without the block nothing is traced', () => {
  expect(read('').tracing).toBeUndefined()
})

test('an address is enough: the path is OTLP’s, and one trace in a hundred is kept, as by Istio', () => {
  expect(read(`tracing { ${AT} }`).tracing).toEqual({
    endpoint: {
      ...{ isSecure: false, host: '127.0.0.1', authority: '127.0.0.1:4318', path: '/v1/traces' },
      address: { kind: 'tcp', host: '127.0.0.1', port: 4318 },
      url: 'http://127.0.0.1:4318',
    },
    samplingPercent: 1,
    ...{ serviceName: undefined, headersFile: undefined, caFile: undefined },
  })
})

test('everything else may be said', () => {
  const { tracing } = read(`tracing {
    otlp_endpoint = "https://[::1]/otlp/v1/traces"  sampling = 0.25  service_name = "shop"
    headers_file = "/run/headers"  ca_file = "/run/ca.pem"
  }`)
  expect(tracing).toMatchObject({
    endpoint: {
      ...{ isSecure: true, host: '::1', authority: '[::1]', path: '/otlp/v1/traces' },
      address: { host: '::1', port: 443 },
    },
    ...{ samplingPercent: 0.25, serviceName: 'shop' },
    ...{ headersFile: '/run/headers', caFile: '/run/ca.pem' },
  })
})

test.each([
  ['0', 0],
  ['"0"', 0],
  ['0.01', 0.01],
  ['100', 100],
  ['"99.99"', 99.99],
])('sampling = %s is that share', (written, percent) => {
  expect(read(`tracing { ${AT}  sampling = ${written} }`).tracing?.samplingPercent).toBe(percent)
})

test.each([
  ['no address', '', /tracing\.otlp_endpoint is missing/],
  ['an address without scheme', 'otlp_endpoint = "127.0.0.1:4318"', /is no URL of a collector/],
  ['another scheme', 'otlp_endpoint = "grpc://127.0.0.1:4317"', /is no URL of a collector/],
  ['a query', 'otlp_endpoint = "http://a/?key=1"', /is no URL of a collector/],
  ['an empty query', 'otlp_endpoint = "http://a/v1?"', /is no URL of a collector/],
  ['a fragment', 'otlp_endpoint = "http://a/#b"', /is no URL of a collector/],
  ['a port out of range', 'otlp_endpoint = "http://a:65536"', /is no URL of a collector/],
  ['a list', 'otlp_endpoint = ["http://a"]', /is no URL of a collector/],
  ['more than all', `${AT}  sampling = 100.01`, /sampling is "100\.01"/],
  ['less than none', `${AT}  sampling = -1`, /sampling is "-1"/],
  ['a share finer than there is', `${AT}  sampling = 0.001`, /sampling is "0\.001"/],
  ['a share with its unit', `${AT}  sampling = "10%"`, /sampling is "10%"/],
  ['a share in powers', `${AT}  sampling = "1e1"`, /sampling is "1e1"/],
  ['a name with a line break', `${AT}  service_name = "a\\nb"`, /service_name is/],
  ['CAs for plaintext', `${AT}  ca_file = "/ca"`, /ca_file has no use where .* not https/],
  [
    'secrets for another host in plaintext',
    'otlp_endpoint = "http://otel:4318"  headers_file = "/h"',
    /headers_file would go to otel in plaintext \(expected https, or a loopback address/,
  ],
  [
    'a key that nobody knows',
    `${AT}  samplings = 1`,
    /unknown key "samplings".*did you mean "sampling"/,
  ],
])('%s is refused', (_, settings, message) => {
  expect(() => read(`tracing { ${settings} }`)).toThrow(message)
})

test('a password in the address is refused and not shown', () => {
  const settings = 'tracing { otlp_endpoint = "https://me:hunter2@otel" }'
  expect(() => read(settings)).toThrow(/is no URL of a collector/)
  expect(() => read(settings)).not.toThrow(/hunter2/)
})
