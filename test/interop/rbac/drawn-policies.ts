/**
 * AuthorizationPolicies drawn at random, as their authors would write them. The words are few, so that what is drawn
 * often meets what is drawn for requests, and many stand at the edges: names that contain one another, wildcards at
 * every cut, templates beside literal paths.
 */
import fc from 'fast-check'

type Texts = fc.Arbitrary<string>

const pick = <T>(...values: readonly T[]) => fc.constantFrom(...values)

export const DOMAINS = ['a.td', 'b.td', 'ns'] as const
const NAMES = ['web', 'shop', 'we', 'sa', 'ns', 'w.b'] as const

/** SPIFFE IDs without their scheme, most of them in Istio's form. */
const ids = fc.oneof(
  { weight: 3, arbitrary: idOf(pick(...DOMAINS, 'cluster.local'), pick(...NAMES), pick(...NAMES)) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(pick(...DOMAINS), fc.array(pick(...NAMES, 'x'), { minLength: 1, maxLength: 7 }))
      .map(([domain, path]) => [domain, ...path].join('/')),
  },
)

function idOf(domain: Texts, namespace: Texts, account: Texts): Texts {
  return fc.tuple(domain, namespace, account).map(([td, ns, sa]) => `${td}/ns/${ns}/sa/${sa}`)
}

/** The text, or a wildcard that a policy makes of it, or one that has its star where it is none. */
const wild = (texts: Texts): Texts =>
  fc.oneof(
    { weight: 3, arbitrary: texts },
    { weight: 1, arbitrary: cut(texts).map(([text, at]) => `${text.slice(0, at)}*`) },
    { weight: 1, arbitrary: cut(texts).map(([text, at]) => `*${text.slice(at)}`) },
    { weight: 1, arbitrary: fc.constant('*') },
    {
      weight: 1,
      arbitrary: cut(texts).map(([text, at]) => `${text.slice(0, at)}*${text.slice(at)}`),
    },
  )

const cut = (texts: Texts) => fc.tuple(texts, fc.nat(16))

export const SOURCE_IPS = ['127.0.0.1', '127.0.0.9', '127.0.3.1'] as const
export const REMOTE_IPS = ['10.1.2.3', '10.1.9.9', '192.0.2.1', '2001:db8::7'] as const
export const DESTINATION_IPS = ['10.20.0.7', '10.21.0.1'] as const
export const PORTS = [80, 8080, 9000] as const

const blocks = (...addresses: readonly string[]): Texts =>
  fc.tuple(pick(...addresses), fc.nat(33)).map(([address, bits]) => {
    const most = address.includes(':') ? 128 : 32
    return bits > 32 ? address : `${address}/${Math.min(most, bits * (most / 32))}`
  })

export const HOSTS = ['shop.example', 'SHOP.example', 'shop.example:80', 'x.shop.example'] as const
export const METHODS = ['GET', 'POST', 'PUT', 'DELETE'] as const
export const SERVER_NAMES = ['shop.example', 'x.shop.example', 'other'] as const
export const TEAMS = ['red', 'blue', 'red,blue', 're', ''] as const
export const ISSUERS = ['https://i/a', 'i', 'https://i'] as const
export const SUBJECTS = ['alice', 'bob', 'al', ''] as const

const paths = pick('/', '/a', '/a/b', '/a/b/c', '/a//c', '/b', '/a/x/b', '/a/x/b/', '/A', '/a;x')
const templates = pick('/a/{*}', '/a/{**}', '/{*}/b', '/a/{*}/b/{**}', '/a/{**}/c', '/{**}', '/{*}')
/** Braces have a meaning in paths, and no template holds a star beside its operators. */
const policyPaths = fc.oneof(wild(paths), templates)
const tokens = fc
  .tuple(pick(...ISSUERS), pick('alice', 'bob', 'al'))
  .map(([issuer, subject]) => `${issuer}/${subject}`)
const tokenValues = fc.oneof(
  tokens,
  pick('*', 'i/*', 'https://i/a/*', 'i/al*', '*/alice', '*/a/bob', '*lice', 'https*', 'https://i*'),
  pick('*i/alice', 'https://i/a/b*', '*/al*'),
)

const list = (values: Texts) => fc.array(values, { minLength: 1, maxLength: 3 })

/** Each field is there one time in so many that a source has one or two of them. */
function some(fields: Readonly<Record<string, Texts>>) {
  const names = Object.keys(fields).flatMap((name) => [
    name,
    `not${name.charAt(0).toUpperCase()}${name.slice(1)}`,
  ])
  const plain = (name: string) =>
    name.startsWith('not') ? name.charAt(3).toLowerCase() + name.slice(4) : name
  return fc
    .uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 3 })
    .chain((chosen) =>
      fc.record(
        Object.fromEntries(chosen.map((name) => [name, list(fields[plain(name)] ?? pick('x'))])),
      ),
    )
}

const anyone = {
  requestPrincipals: tokenValues,
  ipBlocks: blocks(...SOURCE_IPS),
  remoteIpBlocks: blocks(...REMOTE_IPS),
  trustDomains: fc.oneof(pick(...DOMAINS), pick('*.td', 'a*', '*', '*d', 'n*')),
}
const accounts = fc.oneof(
  pick(...NAMES),
  fc.tuple(pick(...NAMES), pick(...NAMES)).map(([ns, sa]) => `${ns}/${sa}`),
)
const source = fc.oneof(
  {
    weight: 3,
    arbitrary: some({ ...anyone, principals: wild(ids), namespaces: wild(pick(...NAMES)) }),
  },
  { weight: 1, arbitrary: some({ ...anyone, serviceAccounts: accounts }) },
)

const operation = some({
  hosts: wild(pick(...HOSTS)),
  ports: pick(...PORTS.map(String), '0080'),
  methods: wild(pick(...METHODS)),
  paths: policyPaths,
})

const CONDITIONS: Readonly<Record<string, Texts>> = {
  'source.ip': blocks(...SOURCE_IPS),
  'remote.ip': blocks(...REMOTE_IPS),
  'destination.ip': blocks(...DESTINATION_IPS),
  'destination.port': pick(...PORTS.map(String)),
  'source.namespace': wild(pick(...NAMES)),
  'source.principal': wild(ids),
  'source.serviceAccount': accounts,
  'source.trustDomain': pick(...DOMAINS, '*.td', '*'),
  'connection.sni': wild(pick(...SERVER_NAMES)),
  'request.headers[X-Team]': wild(pick('red', 'blue', 'red,blue')),
  'request.headers[:method]': wild(pick(...METHODS)),
  'request.headers[x-missing]': pick('*', 'x'),
  'request.auth.principal': tokenValues,
  'request.auth.audiences': wild(pick('shop', 'web')),
  'request.auth.presenter': wild(pick('cli', 'portal')),
  'request.auth.claims[groups]': wild(pick('dev', 'ops')),
  'request.auth.claims[scope]': wild(pick('read', 'write', 'read write')),
  'request.auth.claims[a][b]': wild(pick('deep', 'x')),
  'request.auth.claims[level]': pick('7', '*'),
}

const condition = fc.constantFrom(...Object.entries(CONDITIONS)).chain(([key, values]) =>
  fc.tuple(list(values), list(values), fc.nat(2)).map(([is, not, which]) => ({
    key,
    ...(which !== 1 && { values: is }),
    ...(which !== 0 && { notValues: not }),
  })),
)

const rule = fc.record({
  from: fc.array(source, { maxLength: 2 }).map((all) => all.map((one) => ({ source: one }))),
  to: fc.array(operation, { maxLength: 2 }).map((all) => all.map((one) => ({ operation: one }))),
  when: fc.array(condition, { maxLength: 2 }),
})

const spec = fc
  .tuple(
    pick('ALLOW', 'ALLOW', 'ALLOW', 'DENY', 'DENY', 'AUDIT'),
    fc.array(rule, { maxLength: 3 }),
    fc.nat(7),
  )
  .map(([action, rules, dry]) => ({
    annotations: dry === 0 && action !== 'AUDIT' ? { 'istio.io/dry-run': 'true' } : {},
    // A DENY policy without rules is refused by everybody; this one denies everything.
    spec: { action, rules: action === 'DENY' && rules.length === 0 ? [{}] : rules },
  }))

/** Up to four policies of one namespace, in the form of Kubernetes' objects. */
export const drawnPolicies = fc.array(spec, { minLength: 1, maxLength: 4 }).map((specs) =>
  specs.map(({ annotations, spec: body }, at) => ({
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { namespace: 'shop', name: `p${at}`, annotations },
    spec: body,
  })),
)

export type WrittenPolicy = ReturnType<(typeof drawnPolicies)['generate']>['value'][number]
