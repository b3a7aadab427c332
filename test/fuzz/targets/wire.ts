/** First bytes of connections: PROXY headers, ClientHellos, HTTP/1; payloads of attestation inside protobuf. */

import { ambiguityOf } from '../../../policy/ambiguous-path.ts'
import { normalizePath, PATH_NORMALIZATIONS } from '../../../policy/normalize-path.ts'
import { readK8sPsatPayload, writeK8sPsatPayload } from '../../../proto/k8s-psat.ts'
import {
  readX509PopAnswer,
  readX509PopChallenge,
  readX509PopPayload,
  writeX509PopAnswer,
  writeX509PopPayload,
} from '../../../proto/x509pop.ts'
import { readClientHello } from '../../../proxy/listen/client-hello.ts'
import { sniff, sniffPlaintext } from '../../../proxy/listen/sniff.ts'
import { plainIp } from '../../../server/listen/plain-ip.ts'
import { parseProxyHeader } from '../../../server/listen/proxy-protocol.ts'
import { readByLlhttp, readByUs } from '../../proxy/http1/read-requests.ts'
import { answerOf, broken, type FuzzTarget, mustEqual, ofText } from '../target.ts'

const V2 = '\r\n\r\n\0\r\nQUIT\n'

const proxyHeader: FuzzTarget = {
  name: 'wire-proxy-header',
  oracle: 'a header is as long as it says and known at its last byte; an address is one',
  seeds: [
    'PROXY TCP4 192.0.2.1 198.51.100.7 57005 443\r\n',
    'PROXY TCP6 2001:db8::1 ::1 1 2\r\n',
    'PROXY UNKNOWN\r\n',
    `${V2}\x21\x11\0\x0c\xc0\0\x02\x01\xc6\x33\x64\x07\xde\xad\x01\xbb`,
    `${V2}\x20\0\0\0`,
  ].map((text) => Buffer.from(text, 'latin1')),
  dictionary: [
    'PROXY ',
    'TCP4 ',
    'TCP6 ',
    'UNKNOWN',
    '\r\n',
    V2,
    '\x21\x11',
    '\x21\x21',
    '::ffff:',
    '65536',
    '0',
  ],
  ...{ maxBytes: 4_200, share: 10 },
  run(input) {
    const read = parseProxyHeader(input)
    if (read.kind !== 'header') return
    if (read.bytes > input.length) throw broken('longer than what there is')
    if (read.source !== undefined && plainIp(read.source.ip) !== read.source.ip)
      throw broken(read.source.ip)
    mustEqual('header alone', parseProxyHeader(input.subarray(0, read.bytes)), read)
    const early = parseProxyHeader(input.subarray(0, read.bytes - 1))
    if (early.kind !== 'more') throw broken(`one byte before its end it is ${early.kind}`)
  },
}

const hello = Buffer.from(
  '160301007a010000760303000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f000002130101' +
    '00004b0000000f000d00000a73686f702e6c6f63616c0010000e000c0269700568747470023268320a0004000200' +
    '1d000d00040002080400330002000000' +
    '2b0003020304',
  'hex',
)
const firstBytes: FuzzTarget = {
  name: 'wire-first-bytes',
  oracle: 'what is decided is not undecided by more bytes',
  seeds: [
    hello,
    ofText('GET / HTTP/1.1\r\n'),
    ofText('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    ofText('\r\n\r\nPOST /a\r\n'),
  ],
  dictionary: [
    '\x16\x03\x01',
    '\x01\0',
    '\0\0\0\x0f',
    '\0\x10\0\x0e',
    'GET ',
    ' HTTP/1.1\r\n',
    'PRI * HTTP/2.0',
    '\r\n',
    '\x0b',
    '\x85',
    'istio',
  ],
  ...{ maxBytes: 4_096, share: 10 },
  run(input) {
    readClientHello(input)
    for (const look of [sniff, sniffPlaintext]) {
      const whole = look(input)
      const part = look(input.subarray(0, input.length >> 1))
      if (part.kind !== 'more' && part.kind !== whole.kind)
        throw broken(`${part.kind} becomes ${whole.kind}`)
    }
  },
}

const HTTP_WORDS = [
  'GET ',
  'POST ',
  ' HTTP/1.1\r\n',
  ' HTTP/1.0\r\n',
  'Host: a\r\n',
  'Content-Length: 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'transfer-encoding : chunked',
  'Connection: close\r\n',
  'Expect: 100-continue\r\n',
  '\r\n',
  '\n',
  '\r',
  '5\r\nhello\r\n',
  '0\r\n\r\n',
  ';a=b',
  '\t',
  '\0',
  '\x0b',
  ',',
  'Content-Length: +5',
]
const REQUESTS = [
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: b\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nT: u\r\n\r\n',
  'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n',
].map(ofText)

const http1: FuzzTarget = {
  name: 'wire-http1',
  oracle: 'however the bytes are split, the same requests are seen',
  seeds: REQUESTS,
  dictionary: HTTP_WORDS,
  ...{ maxBytes: 4_096, share: 10 },
  run(input) {
    const whole = readByUs([input])
    const middle = input.length >> 1
    mustEqual('in halves', readByUs([input.subarray(0, middle), input.subarray(middle)]), whole)
    if (input.length > 64) return
    mustEqual('byte by byte', readByUs([...input].map((byte) => Buffer.of(byte))), whole)
  },
}

const smuggling: FuzzTarget = {
  name: 'wire-http1-llhttp',
  oracle:
    'llhttp never sees a request that we do not, nor another target or another end of one that we see',
  seeds: REQUESTS,
  dictionary: HTTP_WORDS,
  ...{ maxBytes: 1_024, share: 1 },
  async run(input) {
    const ours = readByUs([input])
    const theirs = await readByLlhttp(input)
    // What they refuse and we do not would be refused by them: nothing slips past.
    const most = Math.min(ours.requests.length, theirs.requests.length)
    for (let at = 0; at < most; at += 1) {
      const [one, other] = [ours.requests[at], theirs.requests[at]]
      mustEqual(`request ${at}`, [other?.method, other?.target], [one?.method, one?.target])
    }
    if (
      ours.refusal === undefined &&
      theirs.refusal === undefined &&
      theirs.requests.length > ours.requests.length + 1
    )
      throw broken(`llhttp sees ${theirs.requests.length} requests, we ${ours.requests.length}`)
  },
}

const path: FuzzTarget = {
  name: 'wire-path',
  oracle: 'a path that would change when it is normalized again is known to be ambiguous',
  seeds: ['/a/../b//c', '/a%2fb', '/%2e%2e/x', '/a\\b?q=/..', '*', 'http://a/b'].map(ofText),
  dictionary: ['/', '//', '/../', '/./', '%2f', '%5c', '%2e', '%25', '\\', '?', '#', ';', '%00'],
  ...{ maxBytes: 1_024, share: 10 },
  run(input) {
    const target = input.toString('latin1')
    for (const option of PATH_NORMALIZATIONS) {
      const read = normalizePath(option, target)
      if (read.kind !== 'path' || ambiguityOf(option, read.path) !== undefined) continue
      const again = normalizePath(option, read.path)
      if (option !== 'NONE') mustEqual(option, again, { ...read, query: '' })
    }
  },
}

const payload: FuzzTarget = {
  name: 'wire-payload',
  oracle: 'what is read is written and read as the same',
  seeds: [
    writeK8sPsatPayload({ cluster: 'c', token: 't' }),
    writeX509PopPayload([Buffer.from([1, 2])]),
    ofText('{"rsa_signature":{"nonce":"AAAA"}}'),
    ofText('{"ecdsa_signature":{"r":"AQ==","s":"AQ=="}}'),
  ].map((one) => Buffer.from(one)),
  dictionary: [
    '"certificates"',
    '"nonce"',
    '"rsa_signature"',
    '"ecdsa_signature"',
    '"r"',
    '"s"',
    '"signature"',
    '"cluster"',
    '"token"',
    'null',
    '[]',
    '{}',
    '==',
    '"__proto__"',
  ],
  ...{ maxBytes: 2_048, share: 10 },
  run(input) {
    const psat = answerOf(() => readK8sPsatPayload(input))
    if (psat !== undefined)
      mustEqual('psat', readK8sPsatPayload(writeK8sPsatPayload(psat.answer)), psat.answer)
    const chain = answerOf(() => readX509PopPayload(input))
    if (chain !== undefined)
      mustEqual('chain', readX509PopPayload(writeX509PopPayload(chain.answer)), chain.answer)
    answerOf(() => readX509PopChallenge(input))
    const proof = answerOf(() => readX509PopAnswer(input))
    if (proof !== undefined)
      mustEqual('proof', readX509PopAnswer(writeX509PopAnswer(proof.answer)), proof.answer)
  },
}

export const targets: readonly FuzzTarget[] = [
  proxyHeader,
  firstBytes,
  http1,
  smuggling,
  path,
  payload,
]
