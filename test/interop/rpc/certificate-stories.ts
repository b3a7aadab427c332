/**
 * Who calls with which certificate. A downstream server may sign whatever it likes beneath the CA that it is given:
 * here it signs certificates that name nobody, or somebody whom it should not name.
 */
import { testCa } from '../../fakes/ca.ts'
import { KEY_USAGE, makeCertificate } from '../../fakes/certificate.ts'
import { libraryWords } from './accepted.ts'
import { VALIDITY } from './machine.ts'
import { csr, key } from './material.ts'
import { differing, type Step } from './story.ts'
import { AGENT_PATH, FEDERATED_ADMIN } from './world.ts'

const ID = 'spiffe://example.org'
const CLIENT = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']
const LEAF = {
  ...VALIDITY,
  subject: 'O=odd',
  keyUsage: KEY_USAGE.digitalSignature,
  extKeyUsage: CLIENT,
}

/** By the name of the caller: what is odd about its certificate. */
const ODD = {
  'no-uri': { uriSans: [] },
  'two-uris': { uriSans: [`${ID}/admin`, `${ID}/workload`] },
  'no-spiffe-id': { uriSans: ['https://example.org/admin'] },
  'bad-path': { uriSans: [`${ID}/admin/`] },
  'no-path': { uriSans: [ID] },
  'other-domain': { uriSans: ['spiffe://other.org/admin'] },
  'as-server': { uriSans: [`${ID}/spire/server`] },
  'as-agent': { uriSans: [`${ID}${AGENT_PATH}`] },
  'as-unknown-agent': { uriSans: [`${ID}/spire/agent/join_token/never`] },
  'as-admin': { uriSans: [`${ID}/admin`] },
  'as-workload': { uriSans: [`${ID}/workload`] },
  expired: {
    uriSans: [`${ID}/admin`],
    notBefore: new Date('2020-01-01T00:00:00Z'),
    notAfter: new Date('2020-01-02T00:00:00Z'),
  },
  'not-yet': {
    uriSans: [`${ID}/admin`],
    notBefore: new Date('2050-01-01T00:00:00Z'),
    notAfter: new Date('2050-01-02T00:00:00Z'),
  },
  'is-ca': { uriSans: [`${ID}/admin`], isCa: true },
  'for-servers': { uriSans: [`${ID}/admin`], extKeyUsage: CLIENT.slice(0, 1) },
  'for-nothing': { uriSans: [`${ID}/admin`], extKeyUsage: undefined },
} as const

const ATTEMPTS = [
  'Bundle/GetBundle',
  'Entry/CountEntries',
  'Entry/GetAuthorizedEntries',
  'SVID/NewDownstreamX509CA',
] as const
type Attempt = (typeof ATTEMPTS)[number]

/** Turned away by both while TLS is opened: what the client hears is its own library. */
const TURNED_AWAY: ReadonlySet<string> = new Set([
  'other-domain',
  'expired',
  'not-yet',
  'is-ca',
  'federated-workload',
  'stranger',
  'federated-before',
])
const NAMELESS: ReadonlySet<string> = new Set(['no-uri', 'two-uris', 'no-spiffe-id', 'bad-path'])

/** What a server that takes the certificate answers, other than code and text. */
const ANSWERS: Readonly<Record<Attempt, readonly string[]>> = {
  'Bundle/GetBundle': ['replies.0'],
  'Entry/CountEntries': [],
  'Entry/GetAuthorizedEntries': ['details.0'],
  'SVID/NewDownstreamX509CA': [],
}
/** Why we do not take what SPIRE takes. */
const STRICTER: Readonly<Record<string, string>> = {
  'no-path': 'X509-SVID §2: the ID of a leaf has a path',
  'for-servers': 'RFC 5280 §4.2.1.12: a key for servers alone proves no client',
}

function attempt(as: string, call: Attempt): Step {
  const step: Step = {
    as,
    call,
    with: call === 'SVID/NewDownstreamX509CA' ? { csr } : { output_mask: {} },
  }
  if (TURNED_AWAY.has(as)) return libraryWords(step)
  if (NAMELESS.has(as)) {
    return differing(
      step,
      ['code', 'message'],
      'SPIRE ends TLS; we let it be opened and say what is wrong',
    )
  }
  const why = STRICTER[as]
  if (why === undefined) return step
  const isServed = as === 'for-servers' && call === 'Entry/CountEntries'
  return differing(step, ['code', 'message', ...(isServed ? ['replies.0'] : ANSWERS[call])], why)
}

const FEDERATED = 'fed.org'
const federated = await testCa({ ...VALIDITY, trustDomain: FEDERATED })
const federatedAdmin = await federated.leaf('/admin', VALIDITY)
const federatedWorkload = await federated.leaf('/workload', VALIDITY)
const stranger = await (await testCa(VALIDITY)).leaf('/admin', VALIDITY)
const known = Buffer.from(federated.certificate)

/** An administrator of another trust domain is known by its bundle, and only as long as that is there. */
const FOREIGNERS: readonly Step[] = [
  {
    call: 'Entry/CountEntries',
    async after(_outcome, world) {
      await world.addCaller('federated-before', federatedAdmin.chain, federatedAdmin.key)
      await world.addCaller('stranger', stranger.chain, stranger.key)
    },
  },
  ...ATTEMPTS.flatMap((call) => ['federated-before', 'stranger'].map((as) => attempt(as, call))),
  {
    call: 'Bundle/BatchSetFederatedBundle',
    with: { bundle: [{ trust_domain: FEDERATED, x509_authorities: [{ asn1: known }] }] },
    async after(_outcome, world) {
      await world.addCaller(FEDERATED_ADMIN, federatedAdmin.chain, federatedAdmin.key)
      await world.addCaller('federated-workload', federatedWorkload.chain, federatedWorkload.key)
    },
  },
  ...ATTEMPTS.flatMap((call) =>
    [FEDERATED_ADMIN, 'federated-workload'].map((as) => attempt(as, call)),
  ),
  { call: 'Bundle/BatchDeleteFederatedBundle', with: { trust_domains: [FEDERATED] } },
]

/** The right to call goes with the entry, on an open connection too. */
const RIGHTS: readonly Step[] = [
  {
    call: 'Entry/BatchUpdateEntry',
    with: { entries: [{ id: 'caller-admin' }], input_mask: { admin: true } },
  },
  attempt('admin', 'Entry/CountEntries'),
  {
    call: 'Entry/BatchUpdateEntry',
    with: { entries: [{ id: 'caller-admin', downstream: true }], input_mask: { downstream: true } },
  },
  attempt('admin', 'Entry/CountEntries'),
  attempt('admin', 'SVID/NewDownstreamX509CA'),
  {
    call: 'Entry/BatchUpdateEntry',
    with: {
      entries: [{ id: 'caller-admin', admin: true }],
      input_mask: { admin: true, downstream: true },
    },
  },
  attempt('admin', 'Entry/CountEntries'),
  attempt('admin', 'SVID/NewDownstreamX509CA'),
]

const given: Step = {
  as: 'downstream',
  call: 'SVID/NewDownstreamX509CA',
  with: { csr },
  async after({ replies }, world) {
    // Cast: as the .proto file has it.
    const [ca] = (replies[0]?.ca_cert_chain ?? []) as readonly Buffer[]
    if (ca === undefined) throw new Error(`${world.kind} gives no CA`)
    for (const [name, fields] of Object.entries(ODD)) {
      const leaf = await makeCertificate({ certificate: ca, key }, { ...LEAF, ...fields })
      await world.addCaller(name, [leaf.certificate, ca], leaf.key)
    }
  },
}

export const CERTIFICATES: readonly Step[] = [
  given,
  ...Object.keys(ODD).flatMap((as) => ATTEMPTS.map((call) => attempt(as, call))),
  ...FOREIGNERS,
  ...RIGHTS,
]
