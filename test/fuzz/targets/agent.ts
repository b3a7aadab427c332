/** What workloads, proxies and brokers send the agent, decoded by the real codecs: secret discovery and references. */
import { parseReference, typedReference } from '../../../agent/broker/parse-reference.ts'
import type { WorkloadUpdate } from '../../../agent/cache/identity.ts'
import { checkNames, checkTypeUrl } from '../../../agent/sds/check-names.ts'
import { differenceTo, hearDelta, NEW_DELTA } from '../../../agent/sds/delta.ts'
import {
  answerWorld,
  hearRequest,
  NEW_WORLD,
  namesOf,
  seeUpdate,
} from '../../../agent/sds/state-of-the-world.ts'
import { brokerApi, secretDiscoveryApi } from '../../../proto/load.ts'
import { emptyBundle } from '../../../spiffe/bundle.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { answerOf, broken, type FuzzTarget, readByOther } from '../target.ts'

const update: WorkloadUpdate = {
  identities: [],
  bundle: emptyBundle(parseTrustDomain('example.org')),
  federatedBundles: [],
}
const settings = {
  defaultSvidName: 'default',
  defaultBundleName: 'ROOTCA',
  defaultAllBundlesName: 'ALL',
  disableSpiffeCertValidation: false,
}
const { StreamSecrets, DeltaSecrets } = secretDiscoveryApi().service
const brokers = brokerApi().service
/** Names that a stream may hold: what was asked for, and what it was told of. */
const MAX_HELD = 4_096
const WORDS = [
  '\x0a',
  '\x12',
  '\x1a',
  '\x22',
  '\x2a',
  '*',
  'ROOTCA',
  'default',
  'ALL',
  'spiffe://example.org',
]
WORDS.push(
  'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret',
  '\x08\x80\x80\x80\x80\x10',
)
WORDS.push(
  'disable_spiffe_cert_validation',
  'type.googleapis.com/spiffe.broker.WorkloadPIDReference',
)

/** Messages of a stream, each behind its length in one byte; the last has the rest. */
function messagesOf(input: Buffer): readonly Buffer[] {
  const messages: Buffer[] = []
  for (let at = 0; at < input.length; ) {
    const end = at + 1 + (input[at] ?? 0)
    messages.push(input.subarray(at + 1, end))
    at = end
  }
  return messages
}

const framed = (...messages: readonly Buffer[]) =>
  Buffer.concat(messages.flatMap((one) => [Buffer.of(one.length), one]))

const world: FuzzTarget = {
  name: 'agent-sds',
  oracle: 'a stream is answered or refused, and what it holds is bounded',
  seeds: [
    framed(StreamSecrets.requestSerialize({ resource_names: ['default', 'ROOTCA'] })),
    framed(
      StreamSecrets.requestSerialize({ resource_names: [''], type_url: 'x' }),
      StreamSecrets.requestSerialize({
        resource_names: ['a'],
        response_nonce: 'n',
        version_info: '1',
      }),
    ),
  ],
  dictionary: WORDS,
  ...{ maxBytes: 2_048, share: 10 },
  run(input) {
    let state = seeUpdate(NEW_WORLD, update)
    for (const bytes of messagesOf(input)) {
      const request = readByOther(() => StreamSecrets.requestDeserialize(bytes))?.answer
      if (request === undefined) return
      const names = answerOf(() => {
        checkNames(request.resource_names)
        checkTypeUrl(request.type_url)
        return namesOf(request.resource_names)
      })
      if (names === undefined) return
      const heard = hearRequest(state, request)
      if (heard.kind === 'heard') state = answerWorld(heard.state, [], 'n').state
    }
  },
}

const delta: FuzzTarget = {
  name: 'agent-sds-delta',
  oracle: 'what a stream holds is bounded, and what it was told is what it holds',
  seeds: [
    framed(
      DeltaSecrets.requestSerialize({ resource_names_subscribe: ['default', '*'] }),
      DeltaSecrets.requestSerialize({
        resource_names_unsubscribe: ['*'],
        initial_resource_versions: { a: 'b' },
      }),
    ),
  ],
  dictionary: WORDS,
  ...{ maxBytes: 2_048, share: 10 },
  run(input) {
    let state = NEW_DELTA
    for (const bytes of messagesOf(input)) {
      const request = readByOther(() => DeltaSecrets.requestDeserialize(bytes))?.answer
      const heard = request && answerOf(() => hearDelta(state, request))
      if (heard === undefined) return
      const told = answerOf(() => differenceTo(heard.answer, update, settings))
      if (told === undefined) return
      state = told.answer.state
      if (state.names.size > MAX_HELD || state.held.size > MAX_HELD)
        throw broken('it holds too much')
      const { removed } = told.answer
      if (new Set(removed).size !== removed.length) throw broken('one name is removed twice')
    }
  },
}

const reference: FuzzTarget = {
  name: 'agent-reference',
  oracle: 'a reference is read or refused, in every call that takes one',
  seeds: Object.values(brokers).map((method, at) =>
    Buffer.concat([Buffer.of(at), method.requestSerialize({})]),
  ),
  dictionary: [...WORDS, '\x08\x01', '\x0a\x00', '\x0a\x02\x0a\x00'],
  ...{ maxBytes: 1_024, share: 10 },
  run(input) {
    const methods = Object.values(brokers)
    const method = methods[(input[0] ?? 0) % methods.length]
    const request: unknown = readByOther(() =>
      method?.requestDeserialize(input.subarray(1)),
    )?.answer
    // Cast: the calls that take a reference name it alike.
    const wire = (request as { reference?: Parameters<typeof typedReference>[0] } | undefined)
      ?.reference
    answerOf(() => parseReference(typedReference(wire ?? null)))
    answerOf(() =>
      parseReference({
        typeUrl: 'type.googleapis.com/spiffe.broker.WorkloadPIDReference',
        value: input,
      }),
    )
    answerOf(() =>
      parseReference({
        typeUrl: 'type.googleapis.com/spiffe.broker.KubernetesObjectReference',
        value: input,
      }),
    )
  },
}

export const targets: readonly FuzzTarget[] = [world, delta, reference]
