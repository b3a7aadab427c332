/** What is asked of both agents, right and wrong, and what may differ in the answers, beside the request. */
import type { DiscoveryRequestInput } from '../../../proto/gen/envoy/service/discovery/v3/DiscoveryRequest.ts'
import { asking, LAST, type Step } from './ask.ts'

export const OWN = 'spiffe://example.org'
export const PARTNER = 'spiffe://partner.org'
/** Known to the agent, but of no entry of the workload. */
export const THIRD = 'spiffe://third.org'
export const WEB = `${OWN}/web`
export const DB = `${OWN}/db`
export const TWICE = `${OWN}/twice`
export const ELSEWHERE = `${OWN}/elsewhere`

export interface Difference {
  readonly why: string
  /** Names, in order, of the secrets that ours answers with where SPIRE's agent refuses. */
  readonly answers: readonly string[]
}

export interface Ask {
  readonly title: string
  readonly request: DiscoveryRequestInput
  readonly accepted?: Difference
}

const version = (major_number: number, minor_number: number) => ({
  node: { user_agent_build_version: { version: { major_number, minor_number, patch: 3 } } },
})
type Override =
  | { readonly kind: 'boolValue'; readonly boolValue: boolean }
  | { readonly kind: 'stringValue'; readonly stringValue: string }
  | { readonly kind: 'numberValue'; readonly numberValue: number }
  | { readonly kind: 'nullValue'; readonly nullValue: 'NULL_VALUE' }
const disabling = (value: Override) => ({
  node: { id: 'envoy', metadata: { fields: { disable_spiffe_cert_validation: value } } },
})
const text = (stringValue: string) => disabling({ kind: 'stringValue', stringValue })
const SEVERAL =
  'SPIRE answers one name for the same secret in each request and refuses the others; ours answers each'

const ask = (title: string, names: readonly string[], change?: DiscoveryRequestInput): Ask => ({
  title,
  request: asking(names, change),
})

/** Asked by FetchSecrets, and as the first request of a stream. */
export const ASKS: readonly Ask[] = [
  ask('no name', []),
  ask('an empty name', ['']),
  ask('the default SVID', ['default']),
  ask('the own bundle by its short name', ['ROOTCA']),
  ask('all bundles', ['ALL']),
  ask('the own trust domain', [OWN]),
  ask('a federated trust domain', [PARTNER]),
  ask('a trust domain that another workload federates with', [THIRD]),
  ask('a trust domain that nobody knows', ['spiffe://nobody.org']),
  ask('the first identity', [WEB]),
  ask('another identity', [DB]),
  ask('an identity that two entries have', [TWICE]),
  ask('an identity of another workload', [ELSEWHERE]),
  ask('an identity that does not exist', [`${OWN}/nope`]),
  ask('an identity of another trust domain', [`${PARTNER}/web`]),
  ask('the identity of the agent', [`${OWN}/spire/agent`]),
  ask('what Istio asks for, in one', ['default', 'ROOTCA']),
  ask('everything by name', [OWN, PARTNER, WEB, DB, TWICE]),
  ask('a name twice', ['default', 'default']),
  ask('a known and an unknown name', ['default', 'nope']),
  ask('several unknown names', ['zebra', 'ape', 'default']),
  ask('a name with a quote', ['a"b']),
  ask('a name with a line break', ['a\nb']),
  ask('a name with letters of another script', ['ñandú']),
  ask(
    'many names of its own',
    Array.from({ length: 900 }, () => WEB),
  ),
  ask('a name in another case', ['DEFAULT']),
  ask('a name with a blank', [' default']),
  ask('a trust domain with a slash', [`${OWN}/`]),
  ask('a trust domain without its scheme', ['example.org']),
  ask('a file of Istio', ['file-cert:/etc/certs/cert.pem~/etc/certs/key.pem']),
  ask('no type', ['ROOTCA'], { type_url: '' }),
  ask('another type', ['ROOTCA'], {
    type_url: 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
  }),
  ask('an Envoy 1.17', ['ROOTCA'], version(1, 17)),
  ask('all bundles for an Envoy 1.17', ['ALL'], version(1, 17)),
  ask('an Envoy 1.18', ['ROOTCA'], version(1, 18)),
  ask('all bundles for an Envoy 1.18', ['ALL'], version(1, 18)),
  ask('an Envoy 0.99', [PARTNER], version(0, 99)),
  ask('an Envoy 2.0', ['ROOTCA'], version(2, 0)),
  ask('an SVID for an Envoy 1.17', ['default'], version(1, 17)),
  ask('everything for an Envoy 1.17', [], version(1, 17)),
  ask(
    'an Envoy that wants no validator',
    ['ROOTCA'],
    disabling({ kind: 'boolValue', boolValue: true }),
  ),
  ask(
    'an Envoy that wants the validator',
    ['ROOTCA'],
    disabling({ kind: 'boolValue', boolValue: false }),
  ),
  ...['true', 'T', '1', 'TRUE', 'tRUE', 'yes', '', 'false', '0'].map((word) =>
    ask(`an Envoy that says "${word}" to no validator`, ['ROOTCA'], text(word)),
  ),
  ask(
    'an Envoy that says 1 to no validator',
    ['ROOTCA'],
    disabling({ kind: 'numberValue', numberValue: 1 }),
  ),
  ask(
    'an Envoy that says null to no validator',
    ['ROOTCA'],
    disabling({ kind: 'nullValue', nullValue: 'NULL_VALUE' }),
  ),
  ask('all bundles without the validator', ['ALL'], text('true')),
  ask('a nonce and a version that nobody gave', ['default'], {
    response_nonce: 'abc',
    version_info: '9',
  }),
  ask('an error of something earlier', ['default'], { error_detail: { code: 13, message: 'bad' } }),
  {
    title: 'the own bundle by both names',
    request: asking([OWN, 'ROOTCA']),
    accepted: { why: SEVERAL, answers: [OWN, 'ROOTCA'] },
  },
  {
    title: 'the own bundle and all bundles',
    request: asking(['ALL', 'ROOTCA']),
    accepted: { why: SEVERAL, answers: ['ROOTCA', 'ALL'] },
  },
  {
    title: 'the first identity by both names',
    request: asking(['default', WEB]),
    accepted: { why: SEVERAL, answers: [WEB, 'default'] },
  },
]

export interface Script {
  readonly title: string
  readonly steps: readonly Step[]
}

const ACK = { response_nonce: LAST, version_info: LAST }
const answered = (names: readonly string[], change: DiscoveryRequestInput = {}): Step => ({
  request: asking(names, change),
  isAnswered: true,
})
const silent = (names: readonly string[], change: DiscoveryRequestInput = {}): Step => ({
  request: asking(names, change),
  isAnswered: false,
})
const REFUSED = {
  response_nonce: LAST,
  version_info: '',
  error_detail: { code: 13, message: 'bad' },
}

/** Each ends with a request that is answered, so that whatever came unasked would be seen before it. */
export const SCRIPTS: readonly Script[] = [
  {
    title: 'an answer that was accepted is not repeated',
    steps: [answered(['default']), silent(['default'], ACK), answered(['ROOTCA'], ACK)],
  },
  {
    title: 'an answer that was refused is not repeated',
    steps: [answered(['default']), silent(['default'], REFUSED), answered(['ROOTCA'], ACK)],
  },
  {
    title: 'a refusal that asks for something else is answered',
    steps: [answered(['default']), answered(['ROOTCA'], REFUSED), answered([DB], ACK)],
  },
  {
    title: 'the same names in another order are the same subscription',
    steps: [
      answered(['default', 'ROOTCA']),
      silent(['ROOTCA', 'default'], ACK),
      answered([DB], ACK),
    ],
  },
  {
    title: 'one name more, one name less, and everything are other subscriptions',
    steps: [
      answered(['default']),
      answered(['default', 'ROOTCA'], ACK),
      answered(['ROOTCA'], ACK),
      answered([], ACK),
      answered(['default'], ACK),
    ],
  },
  {
    title: 'a stale nonce is ignored, whatever it asks for',
    steps: [
      answered(['default']),
      silent(['nope'], { response_nonce: 'stale', version_info: LAST }),
      silent([DB], {}),
      answered(['ROOTCA'], ACK),
    ],
  },
  {
    title: 'an empty name more and a name twice are other subscriptions',
    steps: [
      answered(['default']),
      answered(['default', ''], ACK),
      answered(['default', 'default', ''], ACK),
      answered(['ROOTCA'], ACK),
    ],
  },
  {
    title: 'what the node said at first holds for requests that do not say it again',
    steps: [answered(['ROOTCA'], text('true')), answered([OWN], ACK), answered([PARTNER], ACK)],
  },
  {
    title: 'what the node says later counts from then on',
    steps: [
      answered(['ROOTCA'], text('true')),
      answered([OWN], { ...ACK, ...text('false') }),
      answered([PARTNER], ACK),
    ],
  },
  {
    title: 'a name that is not the workload’s ends the stream, after whatever went well',
    steps: [answered(['default']), answered([ELSEWHERE], ACK)],
  },
  {
    title: 'the type is told back as it was said last',
    steps: [answered(['default']), answered(['ROOTCA'], { ...ACK, type_url: 'x' })],
  },
  {
    title: 'a version that was not sent, with the right nonce',
    steps: [
      answered(['default']),
      silent(['default'], { response_nonce: LAST, version_info: '17' }),
      answered(['ROOTCA'], ACK),
    ],
  },
]
