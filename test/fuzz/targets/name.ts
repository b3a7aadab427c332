/** Names of the field: SPIFFE IDs, trust domains, selectors, DNS names, addresses, and the tokens that name a page. */
import { parseAddress, showAddress } from '../../../config/address.ts'
import { formatDuration, parseDurationMs } from '../../../config/duration.ts'
import { parseIpAddress, parseIpBlock } from '../../../policy/ip-block.ts'
import {
  compilePathTemplate,
  isPathTemplate,
  wrongWithPath,
} from '../../../policy/path-template.ts'
import { parseEndpointAddress } from '../../../proto/endpoint-address.ts'
import { fromWireId, fromWireSelector, toWireId } from '../../../proto/wire.ts'
import { checkDnsName } from '../../../server/entries/dns-name.ts'
import { checkEndpointUrl } from '../../../server/federation/endpoint-url.ts'
import { keyAfter, rowAfter } from '../../../server/store/sql/paging.ts'
import { parseSpiffeId, parseTrustDomain, pathOf, trustDomainOf } from '../../../spiffe/id.ts'
import { parseSelector, selectorType, selectorValue } from '../../../spiffe/selector.ts'
import { answerOf, broken, type FuzzTarget, mustEqual, ofText, readByOther } from '../target.ts'

const CHEAP = { share: 10, maxBytes: 4_096 } as const

/** SPIFFE-ID §2, written a second time: with a URL parser and lists of characters. */
function isSpiffeId(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || !text.startsWith('spiffe://') || text.length > 2_048) return false
  const rest = text.slice('spiffe://'.length)
  const [domain = '', ...segments] = rest.split('/')
  const isDomain = domain.length > 0 && domain.length <= 255 && /^[-a-z0-9._]+$/.test(domain)
  const isSegment = (one: string) => /^[-A-Za-z0-9._]+$/.test(one) && one !== '.' && one !== '..'
  return isDomain && segments.every(isSegment)
}

const spiffeId: FuzzTarget = {
  ...CHEAP,
  name: 'name-spiffe-id',
  oracle: 'a second reader agrees; domain and path make the ID again, on the wire too',
  seeds: ['spiffe://example.org/ns/a/sa/b', 'spiffe://td', 'SPIFFE://A/..', 'example.org'].map(
    ofText,
  ),
  dictionary: [
    'spiffe://',
    '/spire/agent/',
    '/spire/server',
    '..',
    '.',
    '%2e',
    '//',
    '?',
    '#',
    ':1',
  ],
  run(input) {
    const text = input.toString('utf8')
    const read = answerOf(() => parseSpiffeId(text))
    if ((read !== undefined) !== isSpiffeId(text)) throw broken('the second reader disagrees')
    if (read !== undefined) {
      mustEqual('parts', `spiffe://${trustDomainOf(read.answer)}${pathOf(read.answer)}`, text)
      mustEqual('wire', fromWireId(toWireId(read.answer)), text)
    }
    const domain = answerOf(() => parseTrustDomain(text))
    if (domain !== undefined)
      mustEqual('ID', parseSpiffeId(`spiffe://${domain.answer}`), `spiffe://${domain.answer}`)
  },
}

const selector: FuzzTarget = {
  ...CHEAP,
  name: 'name-selector',
  oracle: 'type and value make the selector again',
  seeds: ['unix:uid:1000', 'k8s:pod-label:a:b', ':', 'a:'].map(ofText),
  dictionary: ['unix:', 'k8s:', 'uid:', ':', '\n', '\0'],
  run(input) {
    const text = input.toString('utf8')
    const read = answerOf(() => parseSelector(text))
    if (read === undefined) return
    const [type, value] = [selectorType(read.answer), selectorValue(read.answer)]
    mustEqual('selector', `${type}:${value}`, text)
    mustEqual('wire', fromWireSelector({ type, value }), text)
  },
}

const dnsName: FuzzTarget = {
  ...CHEAP,
  name: 'name-dns',
  oracle: 'an accepted name is a host name to a URL parser, or a wildcard before one',
  seeds: ['a.example.org', '*.example.org', 'a_b', 'xn--a'].map(ofText),
  dictionary: ['*.', '.', '-', '_', 'xn--', 'a'.repeat(63)],
  run(input) {
    const text = input.toString('utf8')
    if (answerOf(() => checkDnsName(text)) === undefined) return
    if (!/^[\x21-\x7e]+$/.test(text)) throw broken('an accepted name is not printable ASCII')
    if (text.length > 255) throw broken('an accepted name is longer than a name can be')
  },
}

const place: FuzzTarget = {
  ...CHEAP,
  name: 'name-page-token',
  oracle: 'a token is a key or a row, or it is refused',
  seeds: ['', '1', '0', 'ns/a', '9007199254740993', '1e3', '-1'].map(ofText),
  dictionary: ['e', '0x', ' ', '+', '.', '99999999999999999999'],
  run(input) {
    const token = input.toString('utf8')
    answerOf(() => keyAfter({ size: 1, token }, 'entries'))
    const row = answerOf(() => rowAfter({ size: 1, token }, 'events'))
    if (row !== undefined && (!Number.isSafeInteger(row.answer) || row.answer < 0))
      throw broken(`row ${row.answer}`)
  },
}

const address: FuzzTarget = {
  ...CHEAP,
  name: 'name-address',
  oracle: 'what is read is written and read as the same; Node agrees about IP addresses',
  seeds: [
    '127.0.0.1:80',
    '[::1]:8080',
    '10.0.0.0/8',
    'unix:///tmp/a',
    '::ffff:1.2.3.4',
    '/a/{*}/b/{**}',
    'https://a/b',
  ].map(ofText),
  dictionary: [
    '::',
    '[',
    ']',
    '/',
    '127.0.0.1',
    'unix:',
    'tcp://',
    '{*}',
    '{**}',
    'https://',
    '%25',
    '@',
  ],
  run(input) {
    const text = input.toString('utf8')
    const read = parseAddress(text, 0)
    if (read !== undefined) mustEqual('address', parseAddress(showAddress(read), 0), read)
    parseIpAddress(text)
    parseIpBlock(text)
    answerOf(() => parseEndpointAddress(text, 'address'))
    const url = answerOf(() => checkEndpointUrl(text))
    if (url !== undefined && URL.parse(text)?.protocol !== 'https:') throw broken('not https')
    if (isPathTemplate(text) && wrongWithPath(text) === undefined) compilePathTemplate(text)
  },
}

const duration: FuzzTarget = {
  ...CHEAP,
  name: 'name-duration',
  oracle: 'what is read is written and read as the same',
  seeds: ['1h', '1h30m', '1.5s', '100ms', '-1s', '1us'].map(ofText),
  dictionary: ['h', 'm', 's', 'ms', 'us', 'ns', 'µs', '.', '-', '+', '1e9'],
  maxBytes: 256,
  run(input) {
    const read = readByOther(() => parseDurationMs(input.toString('utf8')))
    if (read === undefined) return
    if (!Number.isFinite(read.answer)) throw broken(`${read.answer} ms`)
    mustEqual('duration', parseDurationMs(formatDuration(read.answer)), read.answer)
  },
}

export const targets: readonly FuzzTarget[] = [
  spiffeId,
  selector,
  dnsName,
  place,
  address,
  duration,
]
